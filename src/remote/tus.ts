import type { CarcosaError } from '../shared/errors.ts'
import type { Bytes, Piece } from './bytes.ts'
import { unintelligible } from './failure.ts'
import {
  createTransport,
  type Exchange,
  isPassing,
  pathOf,
  type Transport,
} from './transport.ts'

/** An upload that was allowed, and whose bytes are still to be sent. */
export interface Begun {
  readonly route: string
  readonly ticket: string
}

/**
 * Sends all bytes by tus 1.0.0, and returns the id of what they became. A piece that did not arrive
 * is sent again from where the server stands. What fails for good is deleted.
 *
 * @throws {CarcosaError} what the server refuses with, NETWORK, RESPONSE_INVALID
 * @throws what `bytes` fails with
 */
export async function sendBytes(
  transport: Transport,
  begun: Begun,
  bytes: Bytes,
): Promise<string> {
  const sending: Sending = { transport, begun, bytes, id: null, offset: 0 }
  try {
    let progress = -1
    const plan = {
      isRepeatable: ({ code, status }: CarcosaError) =>
        isPassing(code, status) || passing.has(code),
      progressed() {
        const isFurther = sending.offset > progress
        progress = sending.offset
        return isFurther
      },
    }
    await transport.persist(() => sendRest(sending), plan)
    return idOf(sending)
  } catch (error) {
    await discard(sending)
    throw error
  }
}

interface Sending {
  readonly transport: Transport
  readonly begun: Begun
  readonly bytes: Bytes
  /** Its id, once it has one. */
  id: string | null
  /** What the server has for certain. */
  offset: number
}

const passing = new Set(['OFFSET_MISMATCH', 'UPLOAD_LOCKED', 'RATE_LIMITED'])
const mediaType = 'application/offset+octet-stream'

async function sendRest(sending: Sending): Promise<void> {
  // The server knows best how much of the last try arrived.
  let isDone = sending.id === null ? await create(sending) : await look(sending)
  while (!isDone) isDone = await sendNext(sending)
}

/** Creates it, along with the first piece. Repeated with the same ticket, it is the same upload. */
async function create(sending: Sending): Promise<boolean> {
  const { bytes } = sending
  const { size } = bytes
  const piece = size === null ? null : await bytes.from(0)
  const length = size === null ? { 'Upload-Defer-Length': '1' } : lengthOf(size)
  const carried = piece ? carrying(piece) : { headers: {} }
  const response = await exchange(sending, {
    ...carried,
    method: 'POST',
    headers: { ...carried.headers, ...length },
  })
  const location = response.headers.get('location')
  if (location === null) throw unintelligible('the upload was created nowhere')
  sending.id = location.split('/').at(-1) ?? ''
  sending.offset = piece ? offsetOf(response, 0) : 0
  return size !== null && sending.offset === size
}

async function look(sending: Sending): Promise<boolean> {
  const response = await exchange(sending, { method: 'HEAD' })
  sending.offset = offsetOf(response)
  const length = response.headers.get('upload-length')
  return length !== null && Number(length) === sending.offset
}

async function sendNext(sending: Sending): Promise<boolean> {
  const { offset, bytes } = sending
  const piece = await bytes.from(offset)
  const end = offset + piece.length
  const isSized = bytes.size === null && piece.isLast
  const carried = carrying(piece)
  const response = await exchange(sending, {
    ...carried,
    method: 'PATCH',
    headers: {
      ...carried.headers,
      'Upload-Offset': String(offset),
      ...(isSized && lengthOf(end)),
    },
  })
  sending.offset = offsetOf(response)
  return piece.isLast && sending.offset === end
}

function lengthOf(size: number) {
  return { 'Upload-Length': String(size) }
}

/** Some 32 KiB a second at least, beside the time that any answer may take. */
function carrying({ bytes, length }: Piece) {
  const patience = 30_000 + Math.ceil(length / 32)
  return { headers: { 'Content-Type': mediaType }, body: bytes, patience }
}

/** To the URL that was named, whatever others the server tells: credentials go along. */
function exchange(
  { transport, begun: { route, ticket }, id }: Sending,
  asked: Omit<Exchange, 'url'>,
): Promise<Response> {
  const tus = { 'Tus-Resumable': '1.0.0', 'Upload-Ticket': ticket }
  const path = id === null ? pathOf`/uploads/${route}` : pathOf`/uploads/${route}/${id}`
  const url = transport.settings.url + path
  return transport.send({ ...asked, url, headers: { ...asked.headers, ...tus } })
}

function offsetOf({ headers }: Response, usual = Number.NaN): number {
  const offset = Number(headers.get('upload-offset') ?? usual)
  if (Number.isSafeInteger(offset) && offset >= 0) return offset
  throw unintelligible('it says no Upload-Offset')
}

function idOf({ id }: Sending): string {
  if (id === null) throw unintelligible('the upload has no id')
  return id
}

/** Nobody goes on with it. What cannot be deleted now expires. */
async function discard(sending: Sending): Promise<void> {
  const { id, transport } = sending
  if (id === null) return
  const settings = { ...transport.settings, signal: null, timeout: 5_000 }
  const apart = { ...sending, transport: createTransport(settings) }
  await exchange(apart, { method: 'DELETE' }).catch(() => undefined)
}
