/**
 * How large this process left the objects it wrote last. It knows of every byte, so completing
 * them need not ask the store; what it does not remember, the store is asked for.
 */
export interface Lengths {
  put(key: string, length: number): void
  /** The length, once; undefined if it is not remembered. */
  take(key: string): number | undefined
}

const capacity = 1_000

export function createLengths(): Lengths {
  const lengths = new Map<string, number>()
  return {
    put(key, length) {
      lengths.set(key, length)
      if (lengths.size > capacity) lengths.delete(lengths.keys().next().value ?? key)
    },
    take(key) {
      const length = lengths.get(key)
      lengths.delete(key)
      return length
    },
  }
}
