import { Readable } from 'node:stream'
import { CarcosaError } from '../src/shared/errors.ts'
import type { ByteSource, Store } from './store.ts'
import { chunksOf } from './writing/chunks.ts'
import { occupied } from './writing/occupied.ts'
import { putByWriting } from './writing/put.ts'

/** A store in memory whose insides tests may look at and damage. */
export interface MemoryStore extends Store {
  /** What each key holds. Changing it behind the back of the program is allowed. */
  readonly objects: Map<string, MemoryObject>
  /** Every stream `open` ever returned, in order. */
  readonly opened: Readable[]
  // It can all that needs no HTTP.
  readonly offset: NonNullable<Store['offset']>
  readonly list: NonNullable<Store['list']>
  readonly copy: NonNullable<Store['copy']>
}

export interface MemoryObject {
  bytes: Buffer
  finished: boolean
  modifiedAt: Date
}

/**
 * Keeps objects in the memory of this process, for tests and small experiments: nothing
 * survives its end, no other process sees it, and nothing limits how much it takes.
 *
 * `initial` are finished objects that are there from the beginning.
 */
export function memory(initial: Record<string, Buffer | string> = {}): MemoryStore {
  const objects = new Map<string, MemoryObject>()
  const opened: Readable[] = []
  for (const [key, content] of Object.entries(initial)) {
    objects.set(key, newObject(Buffer.from(content), true))
  }
  const finished = (key: string) => {
    const object = objects.get(key)
    return object?.finished ? object : null
  }

  const store: MemoryStore = {
    kind: 'memory',
    objects,
    opened,

    async start() {},

    async write({ key, offset, fresh }, source) {
      if (fresh && objects.has(key)) throw occupied()
      const { bytes = Buffer.alloc(0) } = objects.get(key) ?? {}
      if (bytes.length < offset) throw corrupt(bytes.length, offset)
      // What is behind was never acknowledged: it goes.
      const object = newObject(bytes.subarray(0, offset), false)
      objects.set(key, object)
      await append(object, source)
      return object.bytes.length
    },

    async complete({ key }, size) {
      const object = objects.get(key)
      if (object?.bytes.length !== size) throw corrupt(object?.bytes.length, size)
      object.finished = true
    },

    put: (key, body, info) => putByWriting(store, { key, body, info }),

    async open(key, range) {
      const object = finished(key)
      if (!object) return null
      const { bytes } = object
      const stream = readSlowly(bytes.subarray(range?.start, range && range.end + 1))
      opened.push(stream)
      return { size: bytes.length, stream }
    },

    async stat(key) {
      const object = finished(key)
      return object && { size: object.bytes.length }
    },

    async remove(key) {
      objects.delete(key)
    },

    async offset({ key }) {
      return { offset: objects.get(key)?.bytes.length ?? 0 }
    },

    async *list() {
      for (const [key, { bytes, finished, modifiedAt }] of objects) {
        if (finished) yield { key, size: bytes.length, modifiedAt }
      }
    },

    async copy(from, to) {
      const object = finished(from)
      if (!object) throw corrupt(undefined, null)
      objects.set(to, newObject(Buffer.from(object.bytes), true))
    },
  }
  return store
}

function newObject(bytes: Buffer, finished: boolean): MemoryObject {
  return { bytes, finished, modifiedAt: new Date() }
}

/** Twice the room whenever it is full: a copy for every chunk would cost minutes. */
async function append(object: MemoryObject, source: ByteSource): Promise<void> {
  const chunks = chunksOf(source)
  let room = object.bytes
  for (let chunk = await chunks.next(); chunk; chunk = await chunks.next()) {
    const { length } = object.bytes
    const needed = length + chunk.length
    if (needed > room.length) {
      room = Buffer.alloc(Math.max(needed, 2 * room.length))
      object.bytes.copy(room)
    }
    chunk.copy(room, length)
    object.bytes = room.subarray(0, needed)
    source.onStored({ offset: needed })
  }
}

/** One 16 KiB chunk per turn of the event loop: a read that can be stopped half way. */
function readSlowly(bytes: Buffer): Readable {
  let position = 0
  return new Readable({
    read() {
      setImmediate(() => {
        if (position >= bytes.length) return void this.push(null)
        const chunk = bytes.subarray(position, position + 16_384)
        position += chunk.length
        this.push(chunk)
      })
    },
  })
}

function corrupt(held: number | undefined, wanted: number | null): CarcosaError {
  return new CarcosaError('STORAGE_CORRUPT', {
    message: `The store holds ${held ?? 'no'} bytes where there should be ${wanted ?? 'some'}.`,
    details: { held: held ?? null, wanted },
  })
}
