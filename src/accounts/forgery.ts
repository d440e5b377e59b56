import { CarcosaError } from '../shared/errors.ts'

/** Which pages may use the cookie of a person who looks at them. */
export interface TrustedPages {
  /** Origins besides this server's own; those of the option `cors`, unless that is `*`. */
  readonly origins: readonly string[]
  /** Of this server, as its pages are reached; null: as the request says. */
  readonly own: string | null
}

interface Sent {
  readonly method: string
  readonly headers: Headers
}

/**
 * For a request whose credential is a cookie, which a browser sends whichever page asks it to
 * (SEC-32): refuses what is not meant by a page of ours, or of an origin on the list.
 *
 * @throws {CarcosaError} CROSS_SITE
 */
export function assertNotForged(sent: Sent, pages: TrustedPages): void {
  if (isSafe(sent.method)) return
  if (!isFromTrustedPage(sent.headers, pages))
    throw forged('no page of this server sent it')
  if (sent.method !== 'POST' || asksFirst(sent.headers)) return
  throw forged(
    'any page could send it: it has neither a JSON body nor a header of its own',
  )
}

/**
 * For signing in, where there is no cookie yet and a forged request would sign somebody in as
 * somebody else: whoever says where it comes from must come from one of ours.
 *
 * @throws {CarcosaError} CROSS_SITE
 */
export function assertNotCrossSite({ headers }: Sent, pages: TrustedPages): void {
  if (!headers.has('origin') && !headers.has('sec-fetch-site')) return
  if (!isFromTrustedPage(headers, pages)) throw forged('no page of this server sent it')
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

function isFromTrustedPage(headers: Headers, { origins, own }: TrustedPages): boolean {
  const origin = headers.get('origin')
  if (origin === null) return headers.get('sec-fetch-site') === 'same-origin'
  if (origins.includes(origin)) return true
  if (own !== null) return origin === own
  return URL.canParse(origin) && new URL(origin).host === headers.get('host')
}

/** Whether a browser asks the server before it lets a page of another origin send this. */
function asksFirst(headers: Headers): boolean {
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type && !simpleTypes.has(type)) return true
  return askedFor.some((name) => headers.has(name))
}

const simpleTypes = new Set([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
])

const askedFor = [
  'tus-resumable',
  'upload-complete',
  'upload-incomplete',
  'x-requested-with',
  'x-http-method-override',
  'carcosa-project',
  'idempotency-key',
]

function forged(reason: string): CarcosaError {
  return new CarcosaError('CROSS_SITE', {
    message: `The request uses a cookie, and ${reason}. Pages of other origins must be on the list of the option cors, and programs send the session as "Authorization: Bearer".`,
  })
}
