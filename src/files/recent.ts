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
  const kept = new Map<string, { record: FileRecord; until: number }>()
  const asked = new Map<string, Promise<FileRecord | null>>()
  changes.onChange((id) => {
    // What was asked before the change may not be answered after it.
    if (id === null) {
      kept.clear()
      asked.clear()
    } else {
      kept.delete(id)
      asked.delete(id)
    }
  })

  const ask = (id: string) => {
    const asking = findFile(db, id).then((record) => {
      if (asked.get(id) === asking && record && isReadable(record.state)) {
        kept.set(id, { record, until: performance.now() + believedMs })
        const [oldest] = kept.keys()
        if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
      }
      return record
    })
    asked.set(id, asking)
    const over = () => {
      if (asked.get(id) === asking) asked.delete(id)
    }
    asking.then(over, over)
    return asking
  }

  const keptOf = (id: string) => {
    const known = kept.get(id)
    return known && known.until > performance.now() ? known.record : null
  }

  return {
    isKept: (id) => keptOf(id) !== null,
    findAnew: ask,
    async find(id) {
      const known = keptOf(id)
      if (known) return known
      kept.delete(id)
      return asked.get(id) ?? ask(id)
    },
  }
}
