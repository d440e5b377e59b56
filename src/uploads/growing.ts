import type { GrowingObject } from '../../stores/store.ts'
import { findParts, findStaged } from '../files/pieces.ts'
import { present } from '../files/presentation.ts'
import type { FileRecord } from '../files/record.ts'
import { maxFileSize } from '../routes/check.ts'
import type { UploadDeps } from './deps.ts'
import type { EarlyType } from './tails.ts'
import { judgeContent, type Verdict } from './verdict.ts'

/** An upload as its store sees it. */
export interface Growing extends GrowingObject {
  /** What the route said when the store asked for the first bytes; null if it did not. */
  readonly verdict: Verdict | null
  /** The verdict, if `error` is how the store passed it on. */
  refusal(error: unknown): Verdict | null
}

export interface GrowingOptions {
  early?: EarlyType | null
  contested?: boolean
  fresh?: boolean
}

export function growingOf(
  deps: UploadDeps,
  record: FileRecord,
  { early = null, contested = false, fresh = false }: GrowingOptions = {},
): Growing {
  const { id, key, offset, size, storeMemo } = record
  const route = deps.route(record.route)
  let verdict: Verdict | null = null
  return {
    key,
    offset,
    size,
    maxSize: size ?? (route ? maxFileSize(route) : Number.MAX_SAFE_INTEGER),
    memo: storeMemo,
    contested,
    fresh,
    parts: () => findParts(deps.db, id),
    staged: () => findStaged(deps.db, id),
    get verdict() {
      return verdict
    },
    refusal: (error) => (verdict?.error && verdict.error === error ? verdict : null),
    async describe(head) {
      verdict ??= await judgeContent(deps, record, { head, early })
      if (verdict.error) throw verdict.error
      return objectInfo(record, verdict)
    },
  }
}

/** What the object itself says, for those who read it past this server. */
export function objectInfo(record: FileRecord, verdict: Verdict) {
  const { contentType, contentDisposition } = verdict
  const shown = present({ ...record, contentType }, contentDisposition)
  return {
    contentType: shown['Content-Type'],
    contentDisposition: shown['Content-Disposition'],
    metadata: { 'carcosa-id': record.id, 'carcosa-route': record.route },
  }
}
