import type { FileRecord, Pinnable } from '../files/record.ts'
import { checkDetected } from '../routes/check.ts'
import type { CarcosaError } from '../shared/errors.ts'
import type { UploadDeps } from './deps.ts'
import type { EarlyType } from './tails.ts'

/** What a file is by its bytes, and whether its route takes that. */
export interface Verdict {
  /** TYPE_NOT_ALLOWED, FILE_TOO_SMALL …, or null. */
  readonly error: CarcosaError | null
  readonly detectedType: string | null
  readonly contentType: string
  readonly contentDisposition: FileRecord['contentDisposition']
  readonly acl: FileRecord['acl']
}

/** What is judged: the route, what was said of the file, and what holds if no rule fits. */
export type Judged = Pick<
  FileRecord,
  'route' | 'declaredType' | 'filename' | 'size' | 'contentDisposition' | 'acl' | 'pinned'
>

export interface Evidence {
  head: Buffer
  early?: EarlyType | null
}

/**
 * Judges a file by its first bytes, of which `early` may know the type already; its size too,
 * where that is known.
 */
export async function judgeContent(
  deps: UploadDeps,
  record: Judged,
  { head, early = null }: Evidence,
): Promise<Verdict> {
  const isKnown = early?.length === head.length
  const detectedType = await (isKnown ? early.type : deps.detector.detect(head))
  const { error, contentType, rule } = judge(deps, record, detectedType)
  // A file that turns out to be of another type falls under the rule for that type.
  const shown = rule ?? record
  const by = (name: Pinnable) => (record.pinned.includes(name) ? record : shown)
  const { contentDisposition } = by('contentDisposition')
  const { acl } = by('acl')
  return { error, detectedType, contentType, contentDisposition, acl }
}

function judge(deps: UploadDeps, record: Judged, detected: string | null) {
  const route = deps.route(record.route)
  if (!route) {
    // The route was taken out of the program while the upload ran: nothing judges it any more.
    const contentType = detected ?? 'application/octet-stream'
    return { error: null, contentType, rule: null }
  }
  const { declaredType, filename, size } = record
  return checkDetected(route, { declaredType, name: filename, size }, detected)
}
