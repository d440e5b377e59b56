import type { DemoRouter } from '../../src/cli/server/demo.ts'
import { createApi } from '../api.ts'
import { createClient } from '../client.ts'
import { CarcosaClientError } from '../errors.ts'
import { fingerprint } from '../fingerprint.ts'
import { createCaller } from '../http.ts'
import { isRecord } from '../problem.ts'
import { describeFile } from '../source.ts'
import type { FinishedUpload } from './finished.ts'
import { createRemembered, type RememberedUpload } from './remembered.ts'

/** Where this page, and so Carcosa, is mounted. */
export const base = new URL('.', location.href)
export const route = 'demo'
export const remembered = createRemembered()

/** Never gives up: a person who stays on the page wants the file to arrive. */
const retry = { attempts: Number.POSITIVE_INFINITY, maxDelay: 10_000 }
export const client = createClient<DemoRouter>({ url: base, storage: remembered, retry })

const caller = createCaller({ headers: undefined, credentials: undefined, fetch })
const api = createApi(base, caller)

/** What the client remembers an upload of `file` under. */
export function keyOf(file: File): string {
  const endpoint = api.endpoint(route)
  return fingerprint(file, describeFile(file), {
    endpoint,
    input: undefined,
    owner: undefined,
  })
}

/** What the route takes. Generous where the server does not answer: it will say no itself. */
export async function limits(): Promise<{
  maxFileCount: number
  maxFileSize: number | null
}> {
  const routes = await client.routes().catch(() => null)
  const types = routes?.[route]?.types
  const rule = isRecord(types) ? types.blob : null
  if (!isRecord(rule)) return { maxFileCount: 1, maxFileSize: null }
  const { maxFileCount, maxFileSize } = rule
  return {
    maxFileCount: typeof maxFileCount === 'number' ? maxFileCount : 1,
    maxFileSize: typeof maxFileSize === 'number' ? maxFileSize : null,
  }
}

/** How an upload begun earlier stands. */
export type Standing =
  | { readonly kind: 'unfinished'; readonly received: number }
  | { readonly kind: 'finished'; readonly file: FinishedUpload }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown' }

export async function standingOf(upload: RememberedUpload): Promise<Standing> {
  try {
    const document = await api.status(upload.url, {
      signal: never(),
      ticket: upload.ticket,
    })
    const { id, state, name, type, url, sha256, offset } = document
    if (state === 'created' || state === 'receiving') {
      return { kind: 'unfinished', received: offset }
    }
    if (!url) return { kind: 'gone' }
    const place = new URL(url, upload.url).href
    const { size } = upload
    const file = {
      id,
      name: name ?? upload.name,
      size,
      type: type ?? '',
      url: place,
      sha256,
    }
    return { kind: 'finished', file }
  } catch (error) {
    return { kind: isGone(error) ? 'gone' : 'unknown' }
  }
}

/** Gives up what the server has of an upload. */
export function removeUpload({ url, ticket }: RememberedUpload): Promise<void> {
  return api.remove(url, { signal: never(), ticket })
}

/** Whether a file that arrived earlier is still there. True where nobody can tell. */
export async function isServed(url: string): Promise<boolean> {
  try {
    const { status } = await fetch(url, { method: 'HEAD', cache: 'no-store' })
    return status !== 404 && status !== 410
  } catch {
    return true
  }
}

/** The digest of a file that was still being computed when it arrived; null if there is none. */
export async function awaitDigest(id: string): Promise<string | null> {
  for (let tries = 0; tries < 10; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** tries))
    const { sha256 } = await api.status(`${api.endpoint(route)}/${id}`, {
      signal: never(),
    })
    if (sha256) return sha256
  }
  return null
}

function isGone(error: unknown): boolean {
  if (!(error instanceof CarcosaClientError)) return false
  return error.status === 404 || error.status === 410
}

function never(): AbortSignal {
  return new AbortController().signal
}
