import type { Act, Answer, Call } from './call.ts'
import { describe, GcsError, type GcsSession, newSession, store } from './state.ts'

const grain = 256 * 1024

export const beginSession: Act = ({ state, name, body, origin, bucket }) => {
  const resource = body.length > 0 ? JSON.parse(body.toString()) : {}
  const session = newSession(name || resource.name, resource)
  state.sessions.set(session.id, session)
  const query = new URLSearchParams({ uploadType: 'resumable', upload_id: session.id })
  const uri = `${origin}/upload/storage/v1/b/${bucket}/o?${query}`
  return { headers: { Location: uri } }
}

export const cancelSession: Act = (call) => {
  call.state.sessions.delete(sessionOf(call).id)
  return { status: 499 }
}

/** Says how much is there, and makes the object if that is all there will be. */
export const querySession: Act = (call) => {
  const session = sessionOf(call)
  const total = /^bytes \*\/(\d+)$/.exec(call.headers['content-range'] ?? '')?.[1]
  return total === undefined ? standing(call, session) : ended(call, session, total)
}

/**
 * Adds bytes. What the session has is skipped; of a chunk that is not the last only whole
 * pieces of 256 KiB are kept.
 */
export const putChunk: Act = (call) => {
  const session = sessionOf(call)
  if (session.made) return standing(call, session)
  const [, first, last, total] =
    /^bytes (\d+)-(\d+|\*)\/(\d+|\*)$/.exec(call.headers['content-range'] ?? '') ?? []
  const start = Number(first)
  if (first === undefined || start > session.bytes.length) {
    throw new GcsError(400, 'invalid', 'The range does not follow what is there.')
  }
  const size = last === '*' ? start + call.body.length : Number(last) + 1
  // As the SDK sends what it does not know the size of.
  const end = total === '*' && last === '*' ? String(size) : (total ?? '*')
  const isWhole = start + call.body.length === size
  const kept = call.state.faults.keep(call.attempt)
  take(session, { start, bytes: call.body.subarray(0, kept ?? undefined) })
  const isEnd = isWhole && kept === null && end === String(size)
  if (isEnd) return ended(call, session, end)
  floor(session)
  return standing(call, session)
}

/** What is kept of a chunk that broke off. */
export function keepHalf(call: Call): void {
  const session = sessionOf(call)
  const first = /^bytes (\d+)-/.exec(call.headers['content-range'] ?? '')?.[1]
  if (first === undefined || session.made) return
  take(session, { start: Number(first), bytes: call.body })
  floor(session)
}

function take(
  session: GcsSession,
  { start, bytes }: { start: number; bytes: Buffer },
): void {
  const skipped = session.bytes.length - start
  if (skipped < 0 || skipped >= bytes.length) return
  session.bytes = Buffer.concat([session.bytes, bytes.subarray(skipped)])
}

function floor(session: GcsSession): void {
  const whole = session.bytes.length - (session.bytes.length % grain)
  session.bytes = session.bytes.subarray(0, whole)
}

function ended(call: Call, session: GcsSession, total: string): Answer {
  if (session.bytes.length === Number(total)) {
    const { name, bytes, resource } = session
    session.made ??= store(call.state, name, { bytes, resource })
  }
  return standing(call, session)
}

function standing({ state }: Call, { name, bytes, made }: GcsSession): Answer {
  if (made) return { body: describe(state, name, made) }
  const { length } = bytes
  return { status: 308, headers: length > 0 ? { Range: `bytes=0-${length - 1}` } : {} }
}

function sessionOf({ state, query }: Call): GcsSession {
  const session = state.sessions.get(query.get('upload_id') ?? '')
  if (!session) throw new GcsError(404, 'notFound', 'There is no such session.')
  return session
}
