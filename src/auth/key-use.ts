import type { Database } from '../db/database.ts'
import type { Logger } from '../shared/logger.ts'
import { touchKeys } from './key-rows.ts'

/** How often the last use of one key is written at most, in ms. */
const everyMs = 60_000
/** How long uses are gathered, in ms. */
const gatherMs = 1_000

/** When keys were last used: gathered, and written once a minute for each. */
export interface KeyUse {
  note(id: string): void
  /** Writes what waits. Idempotent. */
  close(): Promise<void>
}

export function createKeyUse(
  db: Pick<Database, 'query'>,
  log: Pick<Logger, 'debug'>,
): KeyUse {
  const written = new Map<string, number>()
  let waiting = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  async function flush() {
    clearTimeout(timer)
    timer = undefined
    if (waiting.size === 0) return
    const used = waiting
    waiting = new Map()
    forgetOld()
    for (const [id, at] of used) written.set(id, at)
    // Of no use to any request: what is lost is written a minute later.
    await touchKeys(db, used).catch((err) => log.debug({ err }, 'uses of keys were lost'))
  }

  function forgetOld() {
    const old = Date.now() - everyMs
    for (const [id, at] of written) if (at <= old) written.delete(id)
  }

  return {
    note(id) {
      const now = Date.now()
      if (waiting.has(id) || (written.get(id) ?? 0) > now - everyMs) return
      waiting.set(id, now)
      timer ??= setTimeout(flush, gatherMs).unref()
    },
    close: flush,
  }
}
