import type { Progress } from '../../stores/store.ts'
import type { FileRecord } from '../files/record.ts'
import { hasCode } from '../shared/errors.ts'
import { commitOffset, commitProgress } from './advance.ts'
import type { UploadDeps } from './deps.ts'
import type { Lease } from './lease.ts'

/** Bytes of a request in flight are committed this often, so that a crash loses no more. */
const checkpointMs = 500

/** What a store told to be safe during one request, on its way to the row. */
export interface Ledger {
  note(progress: Progress): void
  /** Whether the store told of parts, memos or staged bytes, which a row must have first. */
  readonly hasPieces: boolean
  /**
   * Commits all that was told, and commits nothing by itself any more.
   * @throws {CarcosaError} UPLOAD_GONE, UPLOAD_LOCKED, QUOTA_EXCEEDED
   */
  settle(): Promise<FileRecord>
  /** Commits nothing any more: the record as it is committed. */
  drop(): FileRecord
}

/**
 * Commits now and then while a long or stalled request goes on, never twice at once and always
 * in order.
 */
export function createLedger(
  deps: UploadDeps,
  { record, lease }: { record: FileRecord; lease: Lease },
): Ledger {
  let current = record
  let told: Progress | null = null
  let hasPieces = record.storeMemo !== null
  let timer: NodeJS.Timeout | undefined
  let commit: Promise<void> = Promise.resolve()
  let settling = false

  const commitTold = async () => {
    const progress = told
    if (!progress) return
    told = null
    try {
      current = hasPieces
        ? await commitProgress(deps, { record: current, lease }, progress)
        : await commitOffset(deps, { record: current, lease }, progress.offset)
    } catch (error) {
      told = told ? merge(progress, told) : progress
      throw error
    }
    deps.bus.publish(record.id)
  }
  const early = () => {
    commit = commitTold().catch((error) => {
      // Nothing that still arrives can be committed.
      if (final.some((code) => hasCode(error, code))) lease.lose()
      // The commit at the end of the request is the one that counts; this one is a courtesy.
      deps.log.warn({ err: error, id: record.id }, 'could not commit an offset early')
    })
    void commit.then(() => {
      timer = undefined
      if (told) arm()
    })
  }
  const arm = () => {
    if (!settling) timer ??= setTimeout(early, checkpointMs)
  }

  return {
    get hasPieces() {
      return hasPieces
    },
    note(progress) {
      told = told ? merge(told, progress) : progress
      hasPieces ||= Boolean(progress.memo || progress.parts?.length || progress.staged)
      arm()
    },
    async settle() {
      settling = true
      clearTimeout(timer)
      await commit
      await commitTold()
      return current
    },
    drop() {
      settling = true
      clearTimeout(timer)
      return current
    },
  }
}

const final = ['UPLOAD_LOCKED', 'UPLOAD_GONE', 'QUOTA_EXCEEDED'] as const

function merge(earlier: Progress, later: Progress): Progress {
  return {
    ...earlier,
    ...later,
    parts: [...(earlier.parts ?? []), ...(later.parts ?? [])],
  }
}
