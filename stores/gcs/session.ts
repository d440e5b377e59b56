import { Readable } from 'node:stream'
import { CarcosaError } from '../../src/shared/errors.ts'
import type { OutgoingPart } from '../writing/part-writer.ts'
import { pause } from '../writing/retry.ts'
import { isPassing, Refusal } from './errors.ts'
import type { Answered, Http } from './http.ts'
import { maxFailures, retrying } from './retry.ts'

/**
 * A resumable session: it takes an object from its first byte to its last and says how much it
 * has for good. It can neither go back nor change what it has; bytes that are sent to it once
 * more it skips. Whoever has its address may write, so it needs no credentials.
 */
export interface Session {
  readonly http: Http
  readonly uri: string
}

/** Where a session stands; null if it is gone, and its bytes with it. */
export type Standing = {
  /** Bytes it has for good; null for a finished object whose size was not told. */
  readonly persisted: number | null
  /** Whether the object is made. */
  readonly finished: boolean
} | null

export function standingOf(session: Session): Promise<Standing> {
  return retrying(() => put(session, { range: 'bytes */*' }))
}

/** Makes the object of the `size` bytes that the session has. */
export function finalize(session: Session, size: number): Promise<Standing> {
  return retrying(() => put(session, { range: `bytes */${size}` }))
}

/** Gives it up; what is gone or finished stays so. */
export async function cancel({ http, uri }: Session): Promise<void> {
  await retrying(async () => {
    const answered = await http.ask({ method: 'DELETE', url: uri })
    // 499 is how the service says that it did.
    if (answered.status < 300 || [404, 410, 499].includes(answered.status)) return
    throw new Refusal(answered)
  })
}

/**
 * Sends a part until the session has all of it. After a failure it is asked how far it came,
 * and only the rest is sent again. Null if the session is gone.
 *
 * @throws {CarcosaError} STORAGE_CORRUPT if it no longer has what came before the part
 */
export async function sendPart(session: Session, part: OutgoingPart): Promise<Standing> {
  const end = part.position + part.body.length
  let from = part.position
  let unsure = false
  for (let failures = 0; ; ) {
    try {
      const standing = await put(session, unsure ? question(part) : missing(part, from))
      const held = heldOf(standing, part)
      if (!standing || standing.finished || (held >= end && !part.last)) return standing
      if (held > from) failures = 0
      else if (!unsure) throw new Refusal({ status: 503, text: 'kept nothing of a part' })
      from = held
      unsure = false
    } catch (error) {
      if (!isPassing(error) || ++failures >= maxFailures) throw error
      await pause(failures)
      unsure = true
    }
  }
}

/** @throws {CarcosaError} STORAGE_CORRUPT */
function heldOf(standing: Standing, { position, body }: OutgoingPart): number {
  const end = position + body.length
  const held = standing?.persisted ?? end
  if (held >= (standing?.finished ? end : position)) return held
  throw new CarcosaError('STORAGE_CORRUPT', {
    message: `The store holds ${held} bytes of an upload that stands at ${position}.`,
    details: { held, offset: position },
  })
}

interface Chunk {
  /** `Content-Range` */
  readonly range: string
  readonly body?: readonly (Buffer | Readable)[]
  readonly length?: number
}

/** What the part has from byte `from` of the object on. */
function missing(part: OutgoingPart, from: number): Chunk {
  const { position, body } = part
  const skip = from - position
  const length = body.length - skip
  if (length === 0) return question(part)
  const range = `bytes ${from}-${from + length - 1}/${totalOf(part)}`
  return { range, body: [after(body.read(), skip)], length }
}

/** How much is there? If all of it, the object is made. */
function question(part: OutgoingPart): Chunk {
  return { range: `bytes */${totalOf(part)}` }
}

function totalOf({ position, body, last }: OutgoingPart): string {
  return last ? String(position + body.length) : '*'
}

function after(bytes: Buffer | Readable, skip: number): Buffer | Readable {
  if (Buffer.isBuffer(bytes)) return bytes.subarray(skip)
  if (skip === 0) return bytes
  return Readable.from(skipping(bytes, skip), { objectMode: false })
}

async function* skipping(stream: Readable, skip: number): AsyncGenerator<Buffer> {
  let left = skip
  for await (const chunk of stream) {
    if (left < chunk.length) yield chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}

async function put({ http, uri }: Session, chunk: Chunk): Promise<Standing> {
  const { range, body, length } = chunk
  const headers = { 'Content-Range': range }
  const answered = await http.ask({ method: 'PUT', url: uri, headers, body, length })
  const { status } = answered
  if (status === 308) return { persisted: endOf(answered), finished: false }
  if (status === 200 || status === 201) {
    return { persisted: sizeIn(answered), finished: true }
  }
  if (status === 404 || status === 410 || status === 499) return null
  throw new Refusal(answered)
}

/** Of `bytes=0-41` 42; without the header nothing has arrived yet. */
function endOf({ headers }: Answered): number {
  const last = /-(\d+)$/.exec(String(headers.range ?? ''))?.[1]
  return last === undefined ? 0 : Number(last) + 1
}

function sizeIn({ text }: Answered): number | null {
  try {
    const size = Number(JSON.parse(text).size)
    return Number.isSafeInteger(size) ? size : null
  } catch {
    return null
  }
}
