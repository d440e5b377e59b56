import type { CarcosaError } from '../shared/errors.ts'
import type { Reply } from '../shared/reply.ts'

/**
 * The answer to a HEAD that failed. A condition that passes must not be a 5xx: tus clients
 * then forget the upload and start over (promise P5). 423 is the status they all wait and ask
 * again for.
 */
export function headRefusal(error: CarcosaError): Reply {
  const headers = {
    'Tus-Resumable': '1.0.0',
    'Cache-Control': 'no-store',
    ...error.headers,
  }
  const { status, code } = error
  if (status < 500) return { status, headers, body: null, code }
  return { status: 423, headers: { 'Retry-After': '2', ...headers }, body: null, code }
}
