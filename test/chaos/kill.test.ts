/** P1, P2, P3: a gigabyte survives a server that is killed twenty times, and a client that is. */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { ClientRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openDatabase } from '../../src/db/open.ts'
import { content } from '../support/chaos/content.ts'
import { type ChaosServer, runServer } from '../support/chaos/run-server.ts'
import * as tus from '../support/chaos/tus.ts'
import { seededRandom } from '../support/random.ts'

const kills = 20
const file = content(1024 ** 3)
// Pieces of what is left, so that the last kill still finds something to interrupt.
const perLife = Math.floor(file.size / (kills + 2))
const random = seededRandom(20_261_122)
const chaos = suite('an upload of 1 GiB')

chaos(`survives ${kills} kills of the server`, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'carcosa-kill-'))
  let server = await runServer({ dataDir })
  const { port } = server
  const url =
    server.url + (await tus.create(server.url, 'plain', file.size)).headers.location
  let acknowledged = 0

  for (let kill = 1; kill <= kills; kill++) {
    const offset = await tus.offsetOf(url)
    assert.ok(offset >= acknowledged, `kill ${kill}: ${offset} is behind ${acknowledged}`)
    acknowledged = offset
    await killWhile(server, url, offset)
    server = await runServer({ dataDir, port })
  }
  await finish(url, acknowledged)
  await verify(server, { url, dataDir })
})

chaos(`survives ${kills} kills of the client`, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'carcosa-kill-'))
  const server = await runServer({ dataDir })
  const url =
    server.url + (await tus.create(server.url, 'plain', file.size)).headers.location
  let acknowledged = 0
  for (let kill = 1; kill <= kills; kill++) {
    const sent = Math.floor(perLife * random())
    const before = acknowledged
    await sendAndVanish(url, acknowledged, sent)
    acknowledged = await tus.offsetOf(url)
    assert.ok(acknowledged >= before, `kill ${kill}: the offset went back`)
  }
  await finish(url, acknowledged)
  await verify(server, { url, dataDir })
})

chaos.run()

/** Sends the next part of the file and kills the server at a random moment of it. */
async function killWhile(server: ChaosServer, url: string, offset: number) {
  const body = stalling(offset, Math.floor(perLife * (0.2 + 0.8 * random())))
  const answer = tus.patch(url, { offset, body }).catch(() => null)
  await sleep(20 + 180 * random())
  await server.kill()
  body.destroy()
  await answer
}

/** Sends the next `bytes` of the file, then the connection is cut as by a client that died. */
async function sendAndVanish(url: string, offset: number, bytes: number) {
  const body = stalling(offset, bytes)
  const length = file.size - offset
  const { promise: connected, resolve } = Promise.withResolvers<() => void>()
  const onRequest = (sent: ClientRequest) => resolve(() => sent.destroy())
  const answer = tus.patch(url, { offset, body, length, onRequest }).catch(() => null)
  const cut = await connected
  await sleep(10 + 90 * random())
  cut()
  body.destroy()
  await answer
}

/** The file from `offset` on, which after `bytes` of it yields nothing for ever. */
function stalling(offset: number, bytes: number): Readable {
  const stopped = Promise.withResolvers<void>()
  async function* part() {
    let left = bytes
    for await (const chunk of file.from(offset)) {
      if (left <= 0) await stopped.promise
      left -= chunk.length
      yield chunk
    }
  }
  const body = Readable.from(part(), { objectMode: false })
  body.on('close', () => stopped.resolve())
  body.on('error', () => {})
  return body
}

async function finish(url: string, acknowledged: number): Promise<void> {
  const offset = await tus.offsetOf(url)
  assert.ok(offset >= acknowledged, `${offset} is behind ${acknowledged}`)
  const length = file.size - offset
  const answer = await tus.patch(url, { offset, body: file.from(offset), length })
  assert.is(answer.status, 204)
  assert.is(Number(answer.headers['upload-offset']), file.size)
}

/** The bytes as served, the digest as recorded, the events, and what is left on disk. */
async function verify(
  server: ChaosServer,
  { url, dataDir }: { url: string; dataDir: string },
) {
  const id = url.split('/').at(-1) ?? ''
  assert.is(await download(`${server.url}/files/${id}`), file.sha256)
  assert.is(await recordedDigest(url), file.sha256)
  await server.stop()

  const database = await openDatabase(join(dataDir, 'db'))
  const events = await database.prisma.event.findMany({ where: { fileId: id } })
  await database.close()
  assert.equal(events.map(({ type }) => type).sort(), [
    'file.created',
    'file.ready',
    'file.stored',
  ])
  const left = await readdir(join(dataDir, 'files'), { recursive: true })
  assert.equal(left.sort(), [id.slice(0, 1), `${id.slice(0, 1)}/${id}`])
  await rm(dataDir, { recursive: true })
}

async function download(url: string): Promise<string> {
  const response = await fetch(url)
  assert.is(response.status, 200)
  const hash = createHash('sha256')
  for await (const chunk of response.body ?? []) hash.update(chunk)
  return hash.digest('hex')
}

/** Computed by a job, since no one process saw all bytes: waits for it. */
async function recordedDigest(url: string): Promise<string> {
  for (let waited = 0; waited < 60; waited++) {
    const status = await (await fetch(url)).json()
    if (status.sha256) return status.sha256
    await sleep(500)
  }
  throw new Error('no digest was recorded within 30 s')
}
