import { createBelief } from '../shared/belief.ts'
import { type FileRecord, isReadable } from './record.ts'
import { type Executor, findFile } from './records.ts'

/**
 * Readable files that were asked for a moment ago. A file that many read at once, or one reads in
 * many ranges, costs the database one query a second.
 */
export interface RecentFiles {
  /** In any state; null if there is none. Not kept unless it can be read. */
  find(id: string): Promise<FileRecord | null>
  /** Whether `find` would not ask the database. */
  isKept(id: string): boolean
  /** Asks the database, whatever is kept: whom a file is refused waits as for one that is not there. */
  findAnew(id: string): Promise<FileRecord | null>
}

/** Tells of files that changed, in whichever process; null if any may have. */
export interface FileChangesHeard {
  onChange(listener: (fileId: string | null) => void): void
}

/** How long a record is believed that no change was heard of, in ms. */
const believedMs = 1_000
/** Most records that are kept. */
const mostKept = 1_000

/**
 * What changes in this process is forgotten at once, elsewhere when it is told, and in a second in
 * any case.
 */
export function createRecentFiles(db: Executor, changes: FileChangesHeard): RecentFiles {
  const files = createBelief<FileRecord | null>({
    ms: believedMs,
    most: mostKept,
    isKept: (record) => record !== null && isReadable(record.state),
    now: () => performance.now(),
  })
  changes.onChange((id) => {
    if (id === null) files.forgetAll()
    else files.forget(id)
  })
  return {
    isKept: (id) => files.get(id) !== undefined,
    findAnew: (id) => files.readAnew(id, () => findFile(db, id)),
    find: async (id) => files.get(id) ?? files.read(id, () => findFile(db, id)),
  }
}
