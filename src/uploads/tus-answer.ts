import { ERRORS } from '@tus/utils'
import { CarcosaError, type ErrorCode, toCarcosaError } from '../shared/errors.ts'
import type { Reply } from '../shared/reply.ts'
import { lengthExceeded } from './receive.ts'
import { isUnfinished } from './state.ts'
import type { Call } from './tus-call.ts'

const answerHeaders = [
  'Location',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Defer-Length',
  'Tus-Version',
  'Tus-Extension',
  'Tus-Max-Size',
]

/** The library's answer with what it leaves out: raw metadata, expiry, offsets. */
export function toReply(response: Response, call: Call): Reply {
  const { method } = call.exchange.admitted
  const headers: Record<string, string> = { 'Tus-Resumable': '1.0.0' }
  if (method === 'HEAD') headers['Cache-Control'] = 'no-store'
  for (const name of answerHeaders) {
    const value = response.headers.get(name)
    if (value !== null) headers[name] = value
  }
  const { record } = call
  // The library named the upload before it could know that the same ticket created another.
  if (headers.Location && record) headers.Location = call.urlOf(record.id)
  // tus-js-client asks for the offset even where it sent no body with its creation.
  if (method === 'POST') headers['Upload-Offset'] ??= String(record?.offset ?? 0)
  if (record && method !== 'DELETE') {
    if (isUnfinished(record.state) && record.expiresAt) {
      headers['Upload-Expires'] = record.expiresAt.toUTCString()
    }
    if (method === 'HEAD' && record.rawMetadata !== null) {
      headers['Upload-Metadata'] = record.rawMetadata
    }
  }
  return { status: response.status, headers, body: null }
}

/** The library throws plain objects; these are the ones that can get through our door. */
const libraryErrors = new Map<unknown, ErrorCode>([
  [ERRORS.INVALID_LENGTH, 'LENGTH_INVALID'],
  [ERRORS.ERR_SIZE_EXCEEDED, 'LENGTH_EXCEEDED'],
  [ERRORS.ERR_MAX_SIZE_EXCEEDED, 'FILE_TOO_LARGE'],
  [ERRORS.FILE_NOT_FOUND, 'UPLOAD_NOT_FOUND'],
  [ERRORS.INVALID_METADATA, 'METADATA_INVALID'],
])

/** What went wrong in the library, or in our code under it, as an error of ours. */
export function translate(error: unknown, { record, exchange }: Call): CarcosaError {
  if (error === ERRORS.INVALID_OFFSET && record) {
    const given = Number(exchange.admitted.headers.get('upload-offset'))
    return new CarcosaError('OFFSET_MISMATCH', {
      message: `The request continues at byte ${given}, but the upload stands at ${record.offset}. Continue from there.`,
      details: { given, offset: record.offset },
      // C22: so that a client need not ask.
      headers: { 'Upload-Offset': String(record.offset) },
    })
  }
  if (error === ERRORS.ERR_SIZE_EXCEEDED && record?.size != null) {
    return lengthExceeded(record.size - record.offset, record.offset)
  }
  const code = libraryErrors.get(error)
  return code ? new CarcosaError(code) : toCarcosaError(error)
}
