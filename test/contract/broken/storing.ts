import type { MemoryStore } from '../../../stores/memory.ts'
import { type Break, whatArrives } from './break.ts'

/** `complete`, `offset` and `put` of a store in memory. */
export const brokenStoring: Break<MemoryStore>[] = [
  [
    'complete: a wrong size is accepted',
    /does not complete as one of/,
    (_right, store) => ({
      async complete({ key }) {
        const object = store.objects.get(key)
        if (object) object.finished = true
      },
    }),
  ],
  [
    'complete: what is larger is accepted',
    /of 5 bytes does not complete as one of 4/,
    (right, store) => ({
      complete(object, size) {
        const held = store.objects.get(object.key)?.bytes.length ?? 0
        return right.complete(object, Math.max(held, size))
      },
    }),
  ],
  [
    'complete: it works once',
    /twice/,
    (right, store) => ({
      async complete(object, size) {
        if (store.objects.get(object.key)?.finished) throw new Error('again?')
        await right.complete(object, size)
      },
    }),
  ],
  [
    'complete: what does not exist is completed',
    /does not exist does not complete/,
    (right, store) => ({
      complete: async (object, size) =>
        store.objects.has(object.key) ? right.complete(object, size) : undefined,
    }),
  ],
  [
    'complete: lost bytes are made up for',
    /lost its bytes/,
    (right, store) => ({
      async write(object, source) {
        const bytes = store.objects.get(object.key)?.bytes ?? Buffer.alloc(object.offset)
        store.objects.set(object.key, { bytes, finished: false, modifiedAt: new Date() })
        return right.write(object, source)
      },
    }),
  ],

  [
    'offset: it is off by one',
    /says where an object stands/,
    (right) => ({
      offset: async (object) => ({ offset: (await right.offset(object)).offset + 1 }),
    }),
  ],
  [
    'offset: it says what it is told',
    /admits that bytes were lost/,
    () => ({ offset: async ({ offset }) => ({ offset }) }),
  ],

  [
    'put: it keeps what arrived of a body that failed',
    /body that fails leaves nothing/,
    (right, store) => ({
      async put(...given) {
        const { remove } = store
        store.remove = async () => {}
        const [key] = given
        const held = store.objects.get(key)
        if (held) store.objects.delete(key)
        try {
          return await right.put(...given)
        } catch (error) {
          const partial = store.objects.get(key)
          if (partial) partial.finished = true
          throw error
        } finally {
          store.remove = remove
        }
      },
    }),
  ],
  [
    'put: the error of the body is hidden',
    /its error is the one told/,
    (right) => ({
      put: (...given) =>
        right.put(...given).catch(() => {
          throw new Error('it failed')
        }),
    }),
  ],
  [
    'put: a body that fails is the whole object',
    /body that fails leaves nothing/,
    (right) => ({
      put: async (key, body, info) =>
        right.put(key, Buffer.isBuffer(body) ? body : await whatArrives(body), info),
    }),
  ],
  [
    'put: what is there stays',
    /replaces what is there/,
    (right, store) => ({
      put: async (key, body, info) =>
        store.objects.get(key)?.bytes.length ?? right.put(key, body, info),
    }),
  ],
  [
    'put: the size of the body is not compared',
    /than it was said to be/,
    (right) => ({ put: (key, body) => right.put(key, body, {}) }),
  ],
  [
    'put: it returns another size',
    /bytes are put/,
    (right) => ({ put: async (...given) => (await right.put(...given)) + 1 }),
  ],
  [
    'put: everything with the same beginning is replaced',
    /no other object is touched/,
    (right, store) => ({
      put(key, ...given) {
        for (const other of store.objects.keys()) {
          if (other.startsWith(key)) store.objects.delete(other)
        }
        return right.put(key, ...given)
      },
    }),
  ],
]
