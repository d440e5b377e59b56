import type { Finding } from './check.ts'
import type { Answer } from './exchange.ts'

/** Whether a cache says that it had this answer. */
export function isStored({ headers }: Answer): boolean {
  const told = [headers['cf-cache-status'], headers['x-cache'], headers['x-cache-status']]
  return (
    Number(headers.age ?? 0) > 0 || told.some((value) => /\bhit\b/i.test(value ?? ''))
  )
}

export function cached(): Pick<Finding, 'code' | 'message' | 'mend'> {
  return {
    code: 'CACHED',
    message:
      'A cache answers for uploads: clients are told an offset that is not true, or none. (A cache of nginx also turns HEAD into GET.)',
    mend: {
      nginx:
        'proxy_cache off;  # for /uploads/; and no proxy_ignore_headers Cache-Control',
      caddy: 'leave /uploads/* out of the cache',
      cloudflare:
        'Cache Rules: bypass for /uploads/*, or "Respect origin TTL" instead of "Cache Everything"',
    },
  }
}
