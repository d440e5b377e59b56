import type { MemoryStore } from '../../../stores/memory.ts'
import type { ListedObject } from '../../../stores/store.ts'
import type { Break } from './break.ts'

/** `open`, `stat`, `remove`, `list`, `copy` and `keyFor` of a store in memory. */
export const brokenReading: Break<MemoryStore>[] = [
  [
    'open: the end of a range is exclusive',
    /a range has its first and its last byte/,
    (right) => ({
      open: (key, range) =>
        right.open(key, range && { ...range, end: Math.max(range.end - 1, range.start) }),
    }),
  ],
  [
    'open: ranges are ignored',
    /a range has its first and its last byte/,
    (right) => ({ open: (key) => right.open(key) }),
  ],
  [
    'open: the size is that of the range',
    /tells the whole size/,
    (right) => ({
      async open(key, range) {
        const opened = await right.open(key, range)
        return opened && range ? { ...opened, size: range.end - range.start + 1 } : opened
      },
    }),
  ],
  [
    'open: what does not exist is an error',
    /nothing to read/,
    (right) => ({
      async open(...given) {
        const opened = await right.open(...given)
        if (!opened) throw new Error('not found')
        return opened
      },
    }),
  ],
  [
    'open: a read that is given up takes the object away',
    /destroyed half way/,
    (right, store) => ({
      async open(key, range) {
        const opened = await right.open(key, range)
        const { stream } = opened ?? {}
        stream?.on('close', () => stream.readableEnded || store.objects.delete(key))
        return opened
      },
    }),
  ],
  [
    'stat: what does not exist has no bytes',
    /nothing to read/,
    (right) => ({ stat: async (key) => (await right.stat(key)) ?? { size: 0 } }),
  ],
  [
    'stat: it is off by one',
    /grows at its offset/,
    (right) => ({
      async stat(key) {
        const found = await right.stat(key)
        return found && { size: found.size + 1 }
      },
    }),
  ],

  ['remove: the object stays', /nothing is left/, () => ({ remove: async () => {} })],
  [
    'remove: absence is a failure',
    /no failure/,
    (right, store) => ({
      async remove(key) {
        if (!store.objects.has(key)) throw new Error('not found')
        await right.remove(key)
      },
    }),
  ],
  [
    'remove: what begins with the key goes as well',
    /keys do not touch/,
    (_right, store) => ({
      async remove(key) {
        for (const other of store.objects.keys()) {
          if (other.startsWith(key)) store.objects.delete(other)
        }
      },
    }),
  ],

  [
    'list: the last object is forgotten',
    /lists all its finished objects/,
    (right) => ({
      async *list() {
        let before: ListedObject | null = null
        for await (const one of right.list()) {
          if (before) yield before
          before = one
        }
      },
    }),
  ],
  [
    'list: objects are told twice',
    /lists all its finished objects/,
    (right) => ({
      async *list() {
        yield* right.list()
        yield* right.list()
      },
    }),
  ],
  [
    'list: objects of others are among them',
    /nobody else’s/,
    (right) => ({
      async *list() {
        yield* right.list()
        yield { key: 'of-another', size: 1, modifiedAt: new Date() }
      },
    }),
  ],
  [
    'list: times are wrong',
    /lists all its finished objects/,
    (right) => ({
      async *list() {
        for await (const one of right.list()) yield { ...one, modifiedAt: new Date(0) }
      },
    }),
  ],
  [
    'copy: it moves',
    /a life of its own/,
    (right) => ({
      async copy(from, to) {
        await right.copy(from, to)
        await right.remove(from)
        await right.put(from, Buffer.from('?'), {})
      },
    }),
  ],
  [
    'copy: it is the same object',
    /a life of its own/,
    (right, store) => ({
      async copy(from, to) {
        await right.copy(from, to)
        store.remove = async (key) => {
          await right.remove(key)
          if (key === from) await right.remove(to)
        }
      },
    }),
  ],
  [
    'copy: of nothing an empty copy is made',
    /there is no copy/,
    (right) => ({
      copy: (from, to) =>
        right
          .copy(from, to)
          .catch(async () => void (await right.put(to, Buffer.of(), {}))),
    }),
  ],
  [
    'keyFor: the id is not in the key',
    /a key contains the id/,
    () => ({ keyFor: ({ route }) => `${route}/1` }),
  ],
  [
    'keyFor: the name of a file is in it as it is',
    /a key contains the id/,
    () => ({ keyFor: ({ id, filename }) => `${id}-${filename}` }),
  ],
]
