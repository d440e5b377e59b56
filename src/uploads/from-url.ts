import { basename } from 'node:path/posix'
import type { FileRecord } from '../files/record.ts'
import { asUnavailable, type Egress } from '../shared/egress.ts'
import { normalizeType, unknownType } from '../shared/mime.ts'
import type { UploadDeps } from './deps.ts'
import { type ProgramUpload, uploadFromProgram } from './from-program.ts'

/**
 * Uploads what a URL answers, under the limits of the route: what says that it is larger is not
 * begun, and what is larger is stopped at the first byte beyond. Name and type are those of the
 * URL and of its answer, unless they are given.
 *
 * @throws {CarcosaError} SOURCE_INVALID, SOURCE_UNAVAILABLE, and what uploadFromProgram throws
 */
export async function uploadFromUrl(
  deps: UploadDeps,
  egress: Egress,
  { url, ...upload }: ProgramUpload & { url: string },
): Promise<FileRecord> {
  const { signal } = upload
  const answer = await egress.get(url, signal && { signal })
  const { body, headers } = answer
  const size = headers['content-length']
  const described = {
    filename: nameOf(answer.url),
    type: typeOf(headers['content-type']),
    ...(size !== undefined && { size: Number(size) }),
    ...upload,
  }
  try {
    return await uploadFromProgram(deps, body, described)
  } catch (error) {
    throw error === body.errored && error !== signal?.reason
      ? asUnavailable(error)
      : error
  }
}

function nameOf({ pathname }: URL): string {
  const last = basename(pathname)
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}

/** A server that knows nothing better says `application/octet-stream`. */
function typeOf(header: string | undefined): string {
  const type = normalizeType(header)
  return type === null || type === unknownType ? '' : type
}
