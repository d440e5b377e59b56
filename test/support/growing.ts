import type { GrowingObject } from '../../stores/store.ts'

/** An unfinished object of a store that needs nothing remembered but where it stands. */
export function growing(
  key: string,
  offset = 0,
  overrides: Partial<GrowingObject> = {},
): GrowingObject {
  return {
    key,
    offset,
    size: null,
    maxSize: Number.MAX_SAFE_INTEGER,
    memo: null,
    parts: async () => [],
    staged: async () => [],
    describe: async () => ({}),
    ...overrides,
  }
}
