import type { MemoryStore } from '../../../stores/memory.ts'
import { type Break, overlaid, telling, writing } from './break.ts'

/** `kind`, `start` and `write` of a store in memory. */
export const brokenWriting: Break<MemoryStore>[] = [
  ['kind: it is no word', /what kind/, () => ({ kind: 'My Store!' })],
  [
    'start: it begins anew',
    /starting twice/,
    (_right, store) => ({ start: async () => store.objects.clear() }),
  ],
  [
    'start: room for bytes is not given back',
    /what kind/,
    () => ({ start: async (context) => void (await context?.staging.take(1)) }),
  ],

  [
    'write: the last byte of each source is lost',
    /grows at its offset/,
    (right, store) => ({
      async write(object, source) {
        const end = await right.write(object, source)
        const held = store.objects.get(object.key)
        if (held) held.bytes = held.bytes.subarray(0, -1)
        return end
      },
    }),
  ],
  [
    'write: what is there grows by an object that is fresh',
    /replaces nothing that is there, or all/,
    (right, store) => ({
      async write(object, source) {
        const before = object.fresh && store.objects.get(object.key)?.bytes
        if (before) store.objects.delete(object.key)
        const end = await right.write(object, source)
        const held = store.objects.get(object.key)
        if (before && held) before.copy(held.bytes)
        return end
      },
    }),
  ],
  [
    'write: less than the limit is taken',
    /megabytes in chunks/,
    (right) => writing(right, (source) => ({ ...source, limit: source.limit - 1 })),
  ],
  [
    'write: bytes are written twice',
    /megabytes in chunks/,
    (right, store) => ({
      async write(object, source) {
        const end = await right.write(object, source)
        const held = store.objects.get(object.key)
        held?.bytes.copy(held.bytes, 100, 0, 100)
        return end
      },
    }),
  ],
  [
    'write: it returns another offset than it told',
    /grows at its offset/,
    (right) => ({ write: async (...given) => (await right.write(...given)) - 1 }),
  ],
  [
    'write: nothing is told',
    /grows at its offset/,
    (right) => writing(right, (source) => ({ ...source, onStored() {} })),
  ],
  [
    'write: offsets are told before they are stored',
    /stored at that moment/,
    (right) => ({
      write({ offset, ...object }, source) {
        let ahead = offset
        const onChunk = (chunk: Buffer) => {
          source.onChunk(chunk)
          ahead += chunk.length
          source.onStored({ offset: ahead })
        }
        return right.write({ offset, ...object }, { ...source, onChunk })
      },
    }),
  ],
  [
    'write: offsets told go back',
    /megabytes in chunks/,
    (right) =>
      telling(right, ({ offset }, source) => {
        source.onStored({ offset })
        source.onStored({ offset: offset - 1 })
        source.onStored({ offset })
      }),
  ],
  [
    'write: bytes are staged by a store without parts',
    /grows at its offset/,
    (right) =>
      telling(right, ({ offset }, source) =>
        source.onStored({ offset, staged: Buffer.from('!') }),
      ),
  ],
  [
    'write: chunks are not shown',
    /grows at its offset/,
    (right) => writing(right, (source) => ({ ...source, onChunk() {} })),
  ],
  [
    'write: chunks are shown twice',
    /megabytes in chunks/,
    (right) =>
      writing(right, (source) => {
        const onChunk = (chunk: Buffer) => {
          source.onChunk(chunk)
          source.onChunk(chunk)
        }
        return { ...source, onChunk }
      }),
  ],
  [
    'write: an empty object is not created',
    /empty source at the beginning/,
    (right) => ({
      write: async (object, source) =>
        object.size === 0 ? 0 : right.write(object, source),
    }),
  ],
  [
    'write: the offset is ignored',
    /goes on where half/,
    (right, store) => ({
      async write(object, source) {
        const offset = store.objects.get(object.key)?.bytes.length ?? 0
        return right.write({ ...object, offset }, source)
      },
    }),
  ],
  [
    'write: a hole is filled with zeros',
    /where an object does not end/,
    (right, store) => ({
      async write(object, source) {
        const held = store.objects.get(object.key)
        const hole = object.offset - (held?.bytes.length ?? 0)
        if (held && hole > 0) held.bytes = Buffer.concat([held.bytes, Buffer.alloc(hole)])
        return right.write(object, source)
      },
    }),
  ],
  [
    'write: keys are cut off',
    /keys do not touch/,
    (right) => ({
      write: ({ key, ...object }, source) =>
        right.write({ ...object, key: key.slice(0, 24) }, source),
      open: (key, range) => right.open(key.slice(0, 24), range),
      stat: (key) => right.stat(key.slice(0, 24)),
      complete: ({ key, ...object }, size) =>
        right.complete({ ...object, key: key.slice(0, 24) }, size),
    }),
  ],
  [
    'write: a source that fails is an error',
    /source that fails everything/,
    (right) => ({
      async write(object, source) {
        const end = await right.write(object, source)
        if (source.stream.errored) throw source.stream.errored
        return end
      },
    }),
  ],
  [
    'write: what arrived of a source that breaks off is dropped',
    /source that is destroyed everything/,
    (right) => ({
      async write(object, source) {
        const end = await right.write(object, source)
        return source.stream.readableAborted ? object.offset : end
      },
    }),
  ],
  [
    'write: it is deaf to "aborted"',
    /says aborted/,
    (right) =>
      writing(right, (source) => {
        const { stream } = source
        const on: typeof stream.on = (event, listener) =>
          event === 'aborted' ? stream : stream.on(event, listener)
        return { ...source, stream: overlaid(stream, { on }) }
      }),
  ],
  [
    'write: it goes on though it must end',
    /must end everything/,
    (right) =>
      writing(right, (source) => ({ ...source, signal: new AbortController().signal })),
  ],
  [
    'write: it takes more than the limit',
    /beyond its limit/,
    (right) =>
      writing(right, (source) => ({ ...source, limit: Number.MAX_SAFE_INTEGER })),
  ],
  [
    'write: it tells nobody that there was more',
    /beyond its limit/,
    (right) => writing(right, (source) => ({ ...source, onExcess() {} })),
  ],
  [
    'write: with too many bytes the object is full',
    /beyond its limit/,
    (right, store) => ({
      async write(object, source) {
        let exceeded = false
        const onExcess = () => {
          exceeded = true
          source.onExcess()
        }
        const end = await right.write(object, { ...source, onExcess })
        const held = store.objects.get(object.key)
        if (!exceeded || !held) return end
        held.bytes = Buffer.alloc(source.limit)
        source.onStored({ offset: source.limit })
        return source.limit
      },
    }),
  ],
]
