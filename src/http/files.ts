import { type FileDeps, findReadable } from '../files/access.ts'
import { serveFile } from '../files/serve.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { Reply } from '../shared/reply.ts'
import type { Located } from './incoming.ts'

/**
 * `GET /files/:id`.
 *
 * @throws {CarcosaError} FILE_NOT_FOUND, SIGNATURE_INVALID, and what serveFile throws
 */
export async function answerFiles(deps: FileDeps, located: Located): Promise<Reply> {
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
  })
}

/** Without a signature the reader may still ask to save the file; `inline` is not theirs to ask. */
function wishedDisposition(search: string): 'attachment' | null {
  const wished = new URLSearchParams(search).get('disposition')
  return wished === 'attachment' ? 'attachment' : null
}
