import { type FileDeps, findReadable } from '../files/access.ts'
import { serveFile } from '../files/serve.ts'
import type { Router } from '../routes/router.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { Reply } from '../shared/reply.ts'
import type { Located } from './incoming.ts'

/** What answering for files stands on. */
export interface FilesDeps extends FileDeps {
  readonly router: Router
}

/**
 * `GET /files/:id`.
 *
 * @throws {CarcosaError} FILE_NOT_FOUND, SIGNATURE_INVALID, and what serveFile throws
 */
export async function answerFiles(deps: FilesDeps, located: Located): Promise<Reply> {
  const { method, headers, search, principal } = located
  const [, id = '', ...rest] = located.segments
  if (rest.length > 0) throw new CarcosaError('FILE_NOT_FOUND')
  const { grant, ...found } = await findReadable(deps, { method, id, search, principal })
  return serveFile({
    ...found,
    method,
    headers,
    disposition: grant ? grant.disposition : wishedDisposition(search),
    expiresAt: grant?.expiresAt ?? null,
    // Of a route that is gone only the files are left.
    mayRedirect: deps.router.routes[found.file.route]?.serve === 'redirect',
    onSignFailure: (err) => deps.log.warn({ err, id }, 'the store signs no URL'),
  })
}

/** Without a signature the reader may still ask to save the file; `inline` is not theirs to ask. */
function wishedDisposition(search: string): 'attachment' | null {
  const wished = new URLSearchParams(search).get('disposition')
  return wished === 'attachment' ? 'attachment' : null
}
