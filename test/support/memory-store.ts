import { Readable } from 'node:stream'
import { CarcosaError } from '../../src/shared/errors.ts'
import type { ByteSource, Store } from '../../stores/store.ts'

/** A store in memory whose insides tests may look at and damage. */
export interface MemoryStore extends Store {
  /** What each key holds. Changing it behind the back of the program is allowed. */
  readonly objects: Map<string, MemoryObject>
  /** Every stream `open` ever returned, in order. */
  readonly opened: Readable[]
}

export interface MemoryObject {
  bytes: Buffer
  finished: boolean
}

/** A complete store without a disk, for tests that are not about stores. */
export function memoryStore(initial: Record<string, Buffer | string> = {}): MemoryStore {
  const objects = new Map<string, MemoryObject>()
  const opened: Readable[] = []
  for (const [key, content] of Object.entries(initial)) {
    objects.set(key, newObject(Buffer.from(content), true))
  }

  return {
    kind: 'memory',
    objects,
    opened,

    async start() {},

    async write(key, offset, source) {
      const object = objects.get(key) ?? newObject(Buffer.alloc(0), false)
      if (object.bytes.length !== offset) {
        throw corrupt(`write at ${offset} of ${object.bytes.length} bytes`)
      }
      objects.set(key, object)
      await take(source, (chunk) => {
        source.onChunk(chunk)
        object.bytes = Buffer.concat([object.bytes, chunk])
        source.onStored(object.bytes.length)
      })
      return object.bytes.length
    },

    async offset(key) {
      return objects.get(key)?.bytes.length ?? 0
    },

    async complete(key, size) {
      const object = objects.get(key)
      if (object?.bytes.length !== size) {
        throw corrupt(`${object?.bytes.length ?? 'no'} bytes instead of ${size}`)
      }
      object.finished = true
    },

    async open(key, range) {
      const object = objects.get(key)
      if (!object?.finished) return null
      const stream = readSlowly(
        object.bytes.subarray(range?.start, range && range.end + 1),
      )
      opened.push(stream)
      return stream
    },

    async stat(key) {
      const object = objects.get(key)
      return object ? { size: object.bytes.length } : null
    },

    async remove(key) {
      objects.delete(key)
    },
  }
}

function newObject(bytes: Buffer, finished: boolean): MemoryObject {
  return { bytes, finished }
}

function corrupt(message: string): CarcosaError {
  return new CarcosaError('STORAGE_CORRUPT', { message })
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

/**
 * Keeps what the source yields until it ends or breaks off. The chunk that reaches the limit
 * waits for the end: a source that goes on beyond must not leave a full-length object.
 */
function take(source: ByteSource, keep: (chunk: Buffer) => void): Promise<void> {
  const { stream, limit, signal } = source
  const endings = ['end', 'aborted', 'close', 'error'] as const
  return new Promise((resolve) => {
    let taken = 0
    let held: Buffer | null = null

    const onData = (chunk: Buffer) => {
      taken += chunk.length
      if (taken < limit) return keep(chunk)
      held = taken === limit ? chunk : null
      if (taken === limit) return
      source.onExcess()
      finish()
    }
    const finish = () => {
      stream.off('data', onData).pause()
      for (const ending of endings) stream.off(ending, finish)
      signal.removeEventListener('abort', finish)
      if (held) keep(held)
      held = null
      resolve()
    }

    for (const ending of endings) stream.on(ending, finish)
    signal.addEventListener('abort', finish)
    if (signal.aborted || stream.destroyed || stream.readableEnded) finish()
    else stream.on('data', onData)
  })
}
