/**
 * Tells namesakes apart: a file that is chosen twice, or two copies from different folders,
 * have the same fingerprint, and must not send into the same upload at the same time.
 */
export interface Keys {
  /** `fingerprint`, or if that is in use, it with a number. */
  take(fingerprint: string): string
  release(key: string): void
}

export function createKeys(): Keys {
  const used = new Set<string>()
  return {
    take(fingerprint) {
      let key = fingerprint
      for (let n = 2; used.has(key); n++) key = `${fingerprint}#${n}`
      used.add(key)
      return key
    },
    release: (key) => void used.delete(key),
  }
}
