import type { Channel } from '../channel/channel.ts'

/** How long a row is believed without looking again, in ms: as late as a change may be heard. */
export const rowCacheMs = 5_000
const maxEntries = 10_000

export interface RowCache<Row> {
  /**
   * The row that `load` finds, or found a few seconds ago. What does not exist is asked for every
   * time: a credential must work as soon as it is made.
   */
  get(name: string, load: () => Promise<Row | null>): Promise<Row | null>
}

export interface RowCacheOptions<Row> {
  readonly channel: Pick<Channel, 'on' | 'onGap'>
  /** On which it is told what was changed. */
  readonly topics: readonly string[]
  /** Whether a row may be another one since `message` came on one of the topics. */
  isAbout(row: Row, message: string): boolean
  /** Default `Date.now`. */
  readonly now?: () => number
}

interface Entry<Row> {
  row: Row
  until: number
}

/** Rows that credentials are judged by, kept for seconds. A change that any process makes is heard at once. */
export function createRowCache<Row>(options: RowCacheOptions<Row>): RowCache<Row> {
  const { channel, topics, isAbout, now = Date.now } = options
  const entries = new Map<string, Entry<Row>>()
  const loading = new Map<string, Promise<Row | null>>()
  let changes = 0

  const hear = (message: string) => {
    changes++
    loading.clear()
    for (const [name, { row }] of entries) {
      if (isAbout(row, message)) entries.delete(name)
    }
  }
  for (const topic of topics) channel.on(topic, hear)
  channel.onGap(() => {
    changes++
    loading.clear()
    entries.clear()
  })

  async function fetch(name: string, load: () => Promise<Row | null>) {
    const before = changes
    const until = now() + rowCacheMs
    try {
      const row = await load()
      // What was read before a change that was heard meanwhile may be what it was before.
      if (row && before === changes) keep(name, { row, until })
      return row
    } finally {
      if (before === changes) loading.delete(name)
    }
  }

  function keep(name: string, entry: Entry<Row>) {
    entries.delete(name)
    entries.set(name, entry)
    const [oldest] = entries.keys()
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest)
  }

  return {
    async get(name, load) {
      const entry = entries.get(name)
      if (entry && entry.until > now()) return entry.row
      const running = loading.get(name) ?? fetch(name, load)
      if (!loading.has(name)) loading.set(name, running)
      return running
    },
  }
}
