import { CarcosaError, type ErrorCode } from '../shared/errors.ts'
import { isId } from '../shared/ids.ts'
import { parseMetadata } from '../shared/metadata.ts'
import type { Creation } from './admission.ts'

/**
 * The strict door in front of the tus server: what the protocol forbids stops here, and what
 * gets through is normalised, so that nothing behind it has to doubt a header again.
 * Sources: tus 1.0.0 (https://tus.io/protocols/resumable-upload); rows C, CR, W, D name the
 * cases in the tests.
 */

export type TusMethod = 'POST' | 'HEAD' | 'PATCH' | 'DELETE' | 'OPTIONS'

/** A request on an upload path as it came in. */
export interface Knock {
  method: string
  /** Path segment behind the route, null for the creation URL. */
  id: string | null
  headers: Headers
  /** Whether there is a body that is not empty, as far as its framing tells. */
  hasBody: boolean
  /** Whether somebody already consumed the body, e.g. a body parser. */
  bodyAlreadyRead: boolean
}

/** A request that may go on. `headers` are what the tus server gets to see. */
export interface Admitted {
  method: TusMethod
  headers: Headers
  /** Only for POST. */
  creation: Creation | null
}

export const mediaType = 'application/offset+octet-stream'

/**
 * @throws {CarcosaError} METHOD_NOT_ALLOWED, UPLOAD_NOT_FOUND, TUS_VERSION_UNSUPPORTED,
 *   HEADER_INVALID, LENGTH_INVALID, LENGTH_EXCEEDED, METADATA_INVALID,
 *   CONTENT_TYPE_UNSUPPORTED, EXTENSION_UNSUPPORTED, BODY_ALREADY_READ
 */
export function passDoor(knock: Knock): Admitted {
  const method = checkMethod(knock)
  if (method === 'OPTIONS') return { method, headers: new Headers(), creation: null }
  if (knock.id !== null && !isId(knock.id)) throw new CarcosaError('UPLOAD_NOT_FOUND')
  checkVersion(knock.headers)
  checkExtensions(knock.headers)
  const headers = normalise(knock.headers)
  if (method === 'PATCH') checkPatch(headers)
  if (method === 'POST' || method === 'PATCH') checkBody(knock, headers)
  const creation =
    method === 'POST' ? readCreation(headers, knock.headers.get('upload-metadata')) : null
  return { method, headers, creation }
}

/** Clients that cannot send PATCH or DELETE send POST and say what they mean (C10, C11). */
function checkMethod({ method, id, headers }: Knock): TusMethod {
  const override = headers.get('x-http-method-override')?.trim().toUpperCase()
  const meant = method === 'POST' && override ? override : method
  const allowed =
    id === null ? ['OPTIONS', 'POST'] : ['OPTIONS', 'HEAD', 'PATCH', 'DELETE']
  const found = allowed.find((name) => name === meant)
  if (found) return found as TusMethod
  const allow = [...allowed, id === null ? '' : 'GET'].filter(Boolean).join(', ')
  throw new CarcosaError('METHOD_NOT_ALLOWED', {
    message: `${meant} is not allowed ${id === null ? 'on the URL that creates uploads' : 'on the URL of an upload'}; use one of ${allow}.`,
    details: { method: meant, allowed: allow.split(', ') },
    headers: { Allow: allow },
  })
}

/** C2, C3: nothing may be processed, and the answer must say which version would be. */
function checkVersion(headers: Headers): void {
  const version = headers.get('tus-resumable')
  if (version === '1.0.0') return
  throw new CarcosaError('TUS_VERSION_UNSUPPORTED', {
    message:
      version === null
        ? 'The header "Tus-Resumable: 1.0.0" is missing. If the client does send it, a proxy in between removes it: let it pass all Tus-* and Upload-* headers.'
        : `This server speaks tus 1.0.0, not ${JSON.stringify(version)}.`,
    details: { supported: ['1.0.0'] },
    headers: { 'Tus-Version': '1.0.0' },
  })
}

/** An extension that is not advertised is refused, never silently ignored. */
function checkExtensions(headers: Headers): void {
  for (const [header, extension] of [
    ['upload-concat', 'concatenation'],
    ['upload-checksum', 'checksum'],
  ] as const) {
    if (!headers.has(header)) continue
    throw new CarcosaError('EXTENSION_UNSUPPORTED', {
      message: `The tus extension "${extension}" is not supported (see Tus-Extension in the answer to OPTIONS). Send the upload without ${header}.`,
      details: { header, extension },
    })
  }
}

/**
 * A copy with exactly the headers the tus server needs, each checked: it reads numbers
 * leniently (C9: `1e+21` becomes 1), compares media types by case (C21), refuses requests
 * for what proxies put into forwarding headers (P5) and metadata for its keys (P18).
 */
function normalise(headers: Headers): Headers {
  const checked = new Headers({ 'Tus-Resumable': '1.0.0' })
  copyInteger(headers, checked, 'Upload-Offset', 'HEADER_INVALID')
  copyInteger(headers, checked, 'Upload-Length', 'LENGTH_INVALID')
  copyInteger(headers, checked, 'Content-Length', 'HEADER_INVALID')
  const deferred = headers.get('upload-defer-length')
  if (deferred !== null) {
    if (deferred !== '1')
      throw lengthInvalid(`Upload-Defer-Length must be 1, not ${quote(deferred)}.`)
    checked.set('Upload-Defer-Length', deferred)
  }
  const type = headers.get('content-type')
  if (type !== null)
    checked.set('Content-Type', type.split(';', 1).join('').trim().toLowerCase())
  return checked
}

function copyInteger(from: Headers, to: Headers, name: string, code: ErrorCode): void {
  const value = from.get(name)
  if (value === null) return
  if (!/^(0|[1-9]\d{0,15})$/.test(value) || !Number.isSafeInteger(Number(value))) {
    throw new CarcosaError(code, {
      message: `${name} must be a whole number of bytes from 0 to ${Number.MAX_SAFE_INTEGER}, not ${quote(value)}.`,
      details: { header: name },
    })
  }
  to.set(name, value)
}

function checkPatch(headers: Headers): void {
  if (headers.get('content-type') !== mediaType) {
    throw new CarcosaError('CONTENT_TYPE_UNSUPPORTED', {
      message: `PATCH needs "Content-Type: ${mediaType}".`,
      details: { allowed: mediaType },
    })
  }
  if (!headers.has('upload-offset')) {
    throw new CarcosaError('HEADER_INVALID', {
      message: 'PATCH needs the header Upload-Offset: the offset that HEAD answers.',
      details: { header: 'Upload-Offset' },
    })
  }
}

/** P13: a parser that ate the body would make every PATCH succeed without a byte. */
function checkBody(knock: Knock, headers: Headers): void {
  const { headers: raw, hasBody, bodyAlreadyRead } = knock
  if (!hasBody) return
  if (bodyAlreadyRead) {
    throw new CarcosaError('BODY_ALREADY_READ', {
      message:
        'The body of this upload was read before it reached Carcosa. Mount Carcosa before body parsers (express.raw, bodyParser, multer …) or keep them off its path.',
    })
  }
  if (headers.get('content-type') === mediaType) return
  throw new CarcosaError('CONTENT_TYPE_UNSUPPORTED', {
    message: `A body must have "Content-Type: ${mediaType}", not ${quote(raw.get('content-type') ?? '')}. If you meant JSON, POST it to …/prepare.`,
    details: { allowed: mediaType },
  })
}

function readCreation(headers: Headers, rawMetadata: string | null): Creation {
  const length = headers.get('upload-length')
  if ((length === null) === !headers.has('upload-defer-length')) {
    throw lengthInvalid(
      'POST needs either Upload-Length (bytes) or "Upload-Defer-Length: 1", and not both.',
    )
  }
  const size = length === null ? null : Number(length)
  checkBodyFits(headers, size)
  const metadata = parseMetadata(rawMetadata ?? '')
  const lastModified = Number(metadata.get('lastModified'))
  return {
    file: {
      name: metadata.get('filename') ?? metadata.get('name') ?? '',
      type: metadata.get('filetype') ?? metadata.get('type') ?? '',
      size,
      ...(Number.isSafeInteger(lastModified) && lastModified > 0 && { lastModified }),
    },
    input: metadata.get('input') ?? undefined,
    rawMetadata,
  }
}

/** W4: a body that cannot fit is refused before anything is created for it. */
function checkBodyFits(headers: Headers, size: number | null): void {
  if (size === null || headers.get('content-type') !== mediaType) return
  const body = Number(headers.get('content-length'))
  if (body <= size) return
  throw new CarcosaError('LENGTH_EXCEEDED', {
    message: `The body has ${body} bytes, but Upload-Length says ${size}.`,
    details: { contentLength: body, uploadLength: size },
  })
}

function lengthInvalid(message: string): CarcosaError {
  return new CarcosaError('LENGTH_INVALID', { message })
}

function quote(value: string): string {
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
}
