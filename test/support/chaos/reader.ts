import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import type { Content } from './content.ts'
import type { Host } from './host.ts'

const patience = 60_000
/** A job whose process was killed is another's after a minute, and is looked for once a minute. */
const jobPatience = 240_000

/**
 * Reads the file until it comes whole. Until then it may be refused or break off, but what ends
 * well is the file: nothing shorter, and nothing else.
 */
export async function download(host: Host, id: string, file: Content): Promise<void> {
  const until = Date.now() + patience
  for (;;) {
    await host.revive()
    const digest = await read(`${host.url}/files/${id}`).catch(() => null)
    if (digest) return assert.is(digest, file.sha256, 'the bytes as they are served')
    if (Date.now() > until) throw new Error('the file could not be read')
    await sleep(100)
  }
}

async function read(url: string): Promise<string | null> {
  const response = await fetch(url)
  if (response.status >= 500) return null
  assert.is(response.status, 200)
  const hash = createHash('sha256')
  for await (const chunk of response.body ?? []) hash.update(chunk)
  return hash.digest('hex')
}

interface Settled {
  state: string
  sha256: string | null
  size: number | null
}

/** The record of the upload once nothing more happens by itself: callback and digest are jobs. */
export async function settle(host: Host, path: string): Promise<Settled> {
  const until = Date.now() + jobPatience
  for (;;) {
    await host.revive()
    const status = await look(host.url + path)
    if (status?.state === 'ready' && status.sha256) return status
    const failed = status && !['ready', 'stored', 'processing'].includes(status.state)
    if (failed || Date.now() > until) {
      throw new Error(`the upload does not get ready: ${JSON.stringify(status)}`)
    }
    await sleep(200)
  }
}

async function look(url: string): Promise<Settled | null> {
  const response = await fetch(url).catch(() => null)
  return response?.ok ? response.json() : null
}
