/** The cookie that keeps a person signed in. */
export interface SessionCookie {
  /** Its value in a request; null if there is none. */
  read(headers: Headers): string | null
  /** The header that sets it, for so many seconds; without, until the browser is closed. */
  set(request: CookieRequest, value: string, maxAge?: number): string
  /** The header that takes it away. */
  clear(request: CookieRequest): string
}

export interface CookieRequest {
  readonly headers: Headers
  /** What clients put in front of our paths: `''` or e.g. `/media`. */
  readonly prefix: string
}

const name = 'carcosa_session'

/**
 * HttpOnly, SameSite=Lax, below the mount point, and Secure unless this is plain HTTP on one's own
 * machine. `__Host-` and `__Secure-` keep other hosts of a domain from setting one in its place.
 */
export function createSessionCookie(publicUrl: string | undefined): SessionCookie {
  const url = publicUrl === undefined ? null : new URL(publicUrl)
  const isSecure = (headers: Headers) =>
    url ? url.protocol === 'https:' : !isLoopback(headers.get('host'))

  function write({ headers, prefix }: CookieRequest, value: string, age: string): string {
    const path = (url?.pathname.replace(/\/$/, '') ?? '') + prefix || '/'
    const secure = isSecure(headers)
    const full = secure ? `${path === '/' ? '__Host-' : '__Secure-'}${name}` : name
    const flags = `Path=${path}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
    return `${full}=${value}; ${flags}${age}`
  }

  return {
    read(headers) {
      const names = isSecure(headers) ? [`__Host-${name}`, `__Secure-${name}`] : [name]
      const cookies = cookiesOf(headers)
      const found = names.find((one) => cookies.has(one))
      return found === undefined ? null : (cookies.get(found) ?? null)
    },
    set: (request, value, maxAge) =>
      write(request, value, maxAge === undefined ? '' : `; Max-Age=${maxAge}`),
    clear: (request) => write(request, '', '; Max-Age=0'),
  }
}

/** The first of a name: the one with the longest path. */
function cookiesOf(headers: Headers): Map<string, string> {
  const cookies = new Map<string, string>()
  for (const part of (headers.get('cookie') ?? '').split(';')) {
    const at = part.indexOf('=')
    const key = part.slice(0, Math.max(at, 0)).trim()
    if (at > 0 && !cookies.has(key)) cookies.set(key, part.slice(at + 1).trim())
  }
  return cookies
}

function isLoopback(host: string | null): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host ?? '')
}
