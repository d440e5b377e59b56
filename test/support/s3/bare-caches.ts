import type { MetadataValue } from '@tus/s3-store'
import { type KvStore, MemoryKvStore } from '@tus/server'

/** A cache that keeps copies, as one outside of the process does. */
export function copyingCache(): KvStore<MetadataValue> {
  const kept = new Map<string, string>()
  return {
    async get(key) {
      const text = kept.get(key)
      return text === undefined ? undefined : JSON.parse(text)
    },
    async set(key, value) {
      kept.set(key, JSON.stringify(value))
    },
    async delete(key) {
      kept.delete(key)
    },
  }
}

/** What the library uses by default, to be looked at. */
export function defaultCache(): MemoryKvStore<MetadataValue> {
  return new MemoryKvStore()
}
