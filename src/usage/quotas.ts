import type { Channel } from '../channel/channel.ts'
import type { Database } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { Meter } from '../shared/meter.ts'
import { isLimited, type QuotaLimits } from '../shared/quota.ts'
import { formatSize } from '../shared/sizes.ts'
import { createQuotaCache } from './quota-cache.ts'
import { findOwnerUsage, findQuota, type Quota } from './quota-rows.ts'
import { reserveStatement } from './reserve.ts'

/** Whose quota a file is in. */
export interface Counted {
  readonly projectId: string
  readonly ownerId: string | null
}

/** What is asked for beyond what is reserved. */
export interface Wanted {
  readonly bytes: number
  readonly files: number
}

/** What the write path asks about quotas. */
export interface Quotas {
  /** Whether files of a project are counted, as of a few seconds ago at the latest. */
  counts(projectId: string): boolean | Promise<boolean>
  /** Why there was no room; null if there is by now, or nothing is limited any more. */
  refusal(file: Counted, wanted: Wanted): Promise<CarcosaError | null>
  /**
   * Writes a row of a file, where it is counted only if there is room. Null if `write` found that
   * there was nothing to write.
   * @throws {CarcosaError} QUOTA_EXCEEDED
   */
  within<T>(writing: Writing<T>): Promise<T | null>
  /**
   * Reserves for an upload of unknown length as many bytes as it has sent. With `exact` it is the
   * length it turned out to have. Nothing if it has ended.
   * @throws {CarcosaError} QUOTA_EXCEEDED; what was reserved before stays
   */
  reserve(file: Counted & { id: string }, bytes: number, exact?: 'exact'): Promise<void>
  /** Says that the limits of a project were changed, here and to all. */
  changed(projectId: string): void
}

/** One more file. */
export interface Writing<T> {
  readonly file: Counted & { readonly size: number | null }
  /** Null if there was no room where `counted`, or nothing to write. */
  write(counted: boolean): Promise<T | null>
  /** Whether there was nothing to write, so that room is not what it lacked. */
  isMoot(): Promise<boolean>
}

export interface QuotasDeps {
  readonly meter: Pick<Meter, 'quotaRefused'>
  readonly db: Pick<Database, 'query'>
  readonly channel: Pick<Channel, 'on' | 'onGap' | 'send'>
}

export function createQuotas({ db, channel, meter }: QuotasDeps): Quotas {
  const cache = createQuotaCache(channel)

  function counts(projectId: string): boolean | Promise<boolean> {
    const answer = cache.get(projectId, async () => {
      const quota = await findQuota(db, projectId)
      return quota !== null && isLimited(quota)
    })
    return answer instanceof Promise ? answer : answer.known
  }

  async function refusal(file: Counted, wanted: Wanted) {
    const refused = await judge(file, wanted)
    if (refused) meter.quotaRefused()
    return refused
  }

  async function judge({ projectId, ownerId }: Counted, wanted: Wanted) {
    const quota = await findQuota(db, projectId)
    if (quota === null || !isLimited(quota)) {
      cache.forget(projectId)
      return null
    }
    const refused = exceeded(quota, wanted, 'project')
    if (refused || ownerId === null) return refused
    const used = await findOwnerUsage(db, projectId, ownerId)
    return exceeded({ ...quota.perOwner, ...used }, wanted, 'owner')
  }

  return {
    counts,
    refusal,
    changed: cache.changed,
    async within({ file, write, isMoot }) {
      const wanted = { bytes: file.size ?? 0, files: 1 }
      // Room may have come between the statement and the look at why there was none.
      for (let attempt = 0; attempt < 3; attempt++) {
        const counted = await counts(file.projectId)
        const written = await write(counted)
        if (written || !counted || (await isMoot())) return written
        const refused = await refusal(file, wanted)
        if (refused) throw refused
      }
      throw busy()
    },
    async reserve(file, bytes, exact) {
      for (let attempt = 0; attempt < 3; attempt++) {
        if (!(await counts(file.projectId))) return
        const values = [file.id, bytes, exact === 'exact']
        const [row] = await db.query<Granted>(reserveStatement, values)
        if (!row || row.granted) return
        const refused = await refusal(file, { bytes: row.more, files: 0 })
        if (refused) throw refused
      }
      throw busy()
    },
  }
}

interface Granted {
  granted: boolean
  more: number
}

type Limited = Pick<QuotaLimits, 'bytes' | 'files'> &
  Pick<Quota, 'usedBytes' | 'usedFiles'>

function exceeded(
  { bytes, files, usedBytes, usedFiles }: Limited,
  wanted: Wanted,
  of: 'project' | 'owner',
): CarcosaError | null {
  const isBytes = bytes !== null && usedBytes + wanted.bytes > bytes
  const isFiles = files !== null && wanted.files > 0 && usedFiles + wanted.files > files
  if (!isBytes && !isFiles) return null
  const whose = of === 'project' ? 'The project' : 'This owner'
  const message = isBytes
    ? `${whose} may store ${formatSize(bytes)}, of which ${formatSize(Math.max(bytes - usedBytes, 0))} are left. Delete files, or upload less.`
    : `${whose} may store ${files} files and has ${usedFiles}. Delete some first.`
  return new CarcosaError('QUOTA_EXCEEDED', {
    message,
    details: {
      of,
      size: wanted.bytes,
      ...(bytes !== null && { quotaBytes: bytes, usedBytes }),
      ...(files !== null && { quotaFiles: files, usedFiles }),
    },
  })
}

/** Others give back and take all the time. */
function busy(): CarcosaError {
  return new CarcosaError('DATABASE_UNAVAILABLE', {
    message: 'The quota changes faster than it can be looked at. Try again.',
    headers: { 'Retry-After': '1' },
  })
}
