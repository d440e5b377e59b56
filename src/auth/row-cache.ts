import type { Channel } from '../channel/channel.ts'
import { createBelief } from '../shared/belief.ts'

/** How long a row is believed without looking again, in ms: as late as a change may be heard. */
export const rowCacheMs = 5_000

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

/** Rows that credentials are judged by, kept for seconds. A change that any process makes is heard at once. */
export function createRowCache<Row>(options: RowCacheOptions<Row>): RowCache<Row> {
  const { channel, topics, isAbout, now = Date.now } = options
  const isKept = (row: Row | null) => row !== null
  const rows = createBelief<Row | null>({ ms: rowCacheMs, isKept, now })
  for (const topic of topics) {
    channel.on(topic, (message) => {
      rows.forgetWhere((row) => row !== null && isAbout(row, message))
    })
  }
  channel.onGap(rows.forgetAll)
  return { get: async (name, load) => rows.get(name) ?? rows.read(name, load) }
}
