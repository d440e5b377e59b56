import type { Channel } from '../channel/channel.ts'
import type { StoredKey } from './key-rows.ts'

/** How long a row is believed without looking again, in ms: as late as a revocation may be heard. */
export const keyCacheMs = 5_000
const maxEntries = 10_000

/** On `carcosa.key` of the channel: the id of a key that was changed. */
export const keyTopic = 'key'

export interface KeyCache {
  /**
   * The key that `load` finds, or found a few seconds ago. What does not exist is asked for every
   * time: a key must work as soon as it is made.
   */
  get(name: string, load: () => Promise<StoredKey | null>): Promise<StoredKey | null>
}

interface Entry {
  key: StoredKey
  until: number
}

/** Rows of API keys, kept for seconds. A change that any process makes is heard at once. */
export function createKeyCache(
  channel: Pick<Channel, 'on' | 'onGap'>,
  now = Date.now,
): KeyCache {
  const entries = new Map<string, Entry>()
  const loading = new Map<string, Promise<StoredKey | null>>()
  let changes = 0

  channel.on(keyTopic, (id) => {
    changes++
    loading.clear()
    for (const [name, { key }] of entries) if (key.id === id) entries.delete(name)
  })
  channel.onGap(() => {
    changes++
    loading.clear()
    entries.clear()
  })

  async function fetch(name: string, load: () => Promise<StoredKey | null>) {
    const before = changes
    const until = now() + keyCacheMs
    try {
      const key = await load()
      // What was read before a change that was heard meanwhile may be what it was before.
      if (key && before === changes) keep(name, { key, until })
      return key
    } finally {
      if (before === changes) loading.delete(name)
    }
  }

  function keep(name: string, entry: Entry) {
    entries.delete(name)
    entries.set(name, entry)
    const [oldest] = entries.keys()
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest)
  }

  return {
    async get(name, load) {
      const entry = entries.get(name)
      if (entry && entry.until > now()) return entry.key
      const running = loading.get(name) ?? fetch(name, load)
      if (!loading.has(name)) loading.set(name, running)
      return running
    },
  }
}
