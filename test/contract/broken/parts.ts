import type { Memo, Progress, Store } from '../../../stores/store.ts'
import { partService, partStore } from '../../support/part-store.ts'
import { type Break, withProgress } from './break.ts'

export const partSize = 10_000

/** A store that takes objects in parts, and what it tells of them. */
export const brokenParts: Break<Store>[] = [
  [
    'parts: they are told with a wrong size',
    /megabytes in chunks/,
    (right) =>
      withProgress(right, ({ parts, ...progress }) => ({
        ...progress,
        parts: parts?.map((part) => ({ ...part, size: part.size + 1 })),
      })),
  ],
  [
    'parts: they are numbered from 2 on',
    /megabytes in chunks/,
    (right) =>
      withProgress(right, ({ parts, ...progress }) => ({
        ...progress,
        parts: parts?.map((part) => ({ ...part, number: part.number + 1 })),
      })),
  ],
  [
    'parts: their receipts are not told',
    /megabytes in chunks/,
    (right) => withProgress(right, ({ parts, ...progress }) => progress),
  ],
  [
    'parts: the memo cannot be JSON',
    /megabytes in chunks/,
    (right) => {
      const kept = new Map<unknown, Memo>()
      const symbol = Symbol('memo')
      const toMemo = (progress: Progress) => {
        if (progress.memo) kept.set(symbol, progress.memo)
        return progress.memo ? { ...progress, memo: { symbol } } : progress
      }
      return {
        write: ({ ...object }, source) =>
          right.write(
            { ...object, memo: object.memo && (kept.get(object.memo.symbol) ?? null) },
            { ...source, onStored: (progress) => source.onStored(toMemo(progress)) },
          ),
      }
    },
  ],
  [
    'staged: bytes are lost',
    /grows at its offset/,
    (right) =>
      withProgress(right, (progress) =>
        progress.staged ? { ...progress, staged: progress.staged.subarray(1) } : progress,
      ),
  ],
  [
    'staged: bytes are used again',
    /grows at its offset/,
    (right) => ({
      async write(object, source) {
        const given: Buffer[] = []
        const onStored = (progress: Progress) => {
          if (progress.staged) given.push(progress.staged)
          source.onStored(progress)
        }
        const end = await right.write(object, { ...source, onStored })
        for (const bytes of given) bytes.fill('?')
        return end
      },
    }),
  ],
  [
    'staged: more than a part waits',
    /megabytes in chunks/,
    () => partStore(partService(), { partSize: 4 * partSize }),
  ],
  [
    'staged: bytes are left with the last one',
    /grows at its offset/,
    (right) => withProgress(right, ({ settled, ...progress }) => progress),
  ],
  [
    'describe: other bytes are shown',
    /grows at its offset/,
    (right) => ({
      write: (object, source) =>
        right.write(
          { ...object, describe: (head) => object.describe(head.subarray(1)) },
          source,
        ),
    }),
  ],
  [
    'remove: the parts stay',
    /until it is removed/,
    (right) => ({ remove: (key) => right.remove(key) }),
  ],
  [
    'complete: the parts stay listed',
    /until it is removed or completed/,
    (right) => {
      const before: { key: string; memo: Memo; startedAt: Date }[] = []
      return {
        async complete(object, size) {
          const { key, memo } = object
          if (memo) before.push({ key, memo, startedAt: new Date() })
          await right.complete(object, size)
        },
        async *listUnfinished() {
          yield* before
          yield* right.listUnfinished?.() ?? []
        },
      }
    },
  ],
  [
    'listUnfinished: it forgets',
    /until it is removed/,
    () => ({ async *listUnfinished() {} }),
  ],
  [
    'listUnfinished: what others began is among it',
    /until it is removed|others began/,
    (right) => ({
      async *listUnfinished() {
        yield* right.listUnfinished?.() ?? []
        yield { key: 'of-another', memo: {}, startedAt: new Date() }
      },
    }),
  ],
  [
    'list: parts are among the objects',
    /it lists no part/,
    (right) => ({
      async *list() {
        yield* right.list?.() ?? []
        for await (const { key } of right.listUnfinished?.() ?? []) {
          yield { key: `${key}.part`, size: 1, modifiedAt: new Date() }
        }
      },
    }),
  ],
  [
    'put: parts of a body that failed stay',
    /what fails to be put/,
    (right, store) => ({
      async put(...given) {
        const { remove } = store
        store.remove = (key) => right.remove(key)
        return right.put(...given).finally(() => {
          store.remove = remove
        })
      },
    }),
  ],
]
