import type { Channel } from '../channel/channel.ts'
import type { StoredKey } from './key-rows.ts'
import { createRowCache, type RowCache, rowCacheMs } from './row-cache.ts'

/** How long a key is believed without looking again, in ms: as late as a revocation may be heard. */
export const keyCacheMs = rowCacheMs

/** On `carcosa.key` of the channel: the id of a key that was changed. */
export const keyTopic = 'key'

export type KeyCache = RowCache<StoredKey>

/** Rows of API keys; see {@link createRowCache}. */
export function createKeyCache(
  channel: Pick<Channel, 'on' | 'onGap'>,
  now = Date.now,
): KeyCache {
  const isAbout = (key: StoredKey, id: string) => key.id === id
  return createRowCache({ channel, topics: [keyTopic], isAbout, now })
}
