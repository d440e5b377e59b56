import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { CarcosaError } from '../../src/shared/errors.ts'

/**
 * Where bytes wait on their way to a store that takes them in parts. Memory first, then disk,
 * then backpressure: one ceiling for the whole process, whatever clients send (promise P7).
 */
export interface Staging {
  /**
   * A place for up to `bytes`. Waits, first come first served, while neither memory nor disk
   * has that much; a `patient` caller, who will soon give back a place itself, never takes disk.
   *
   * @throws {CarcosaError} CONFIG_INVALID if `bytes` is above both ceilings
   * @throws the reason of `signal` once it is aborted, instead of waiting
   */
  take(bytes: number, options?: TakeOptions): Promise<Place>
  /** Bytes taken at the moment. */
  readonly used: { memory: number; disk: number }
}

export interface TakeOptions {
  patient?: boolean
  signal?: AbortSignal
}

/** Room for the bytes of one part. */
export interface Place {
  readonly capacity: number
  /** Bytes in it. */
  readonly length: number
  /** Takes as much of `chunk` as there is room for and says how much that was. */
  append(chunk: Buffer): number | Promise<number>
  /** Its bytes, to be read any number of times. `release()` destroys what still reads. */
  body(): Buffer | Readable
  /** Gives the room back. Idempotent. */
  release(): void
}

export interface StagingOptions {
  /** Bytes of memory. Default 96 MiB. */
  memory?: number
  /** Bytes of disk beyond that; 0 for none. Default 1 GiB. */
  disk?: number
  /** Where temporary files are. Default the system's directory for them. */
  directory?: string
}

const mib = 1024 * 1024

/** Buffers of one size that are used again: allocating them anew costs page faults. */
const keptBuffers = 8

export function createStaging(options: StagingOptions = {}): Staging {
  const { memory = 96 * mib, disk = 1024 * mib, directory = tmpdir() } = options
  const used = { memory: 0, disk: 0 }
  const waiting: Waiter[] = []
  const spare: Buffer[] = []

  const inMemory = (bytes: number): Place => {
    used.memory += bytes
    const at = spare.findIndex((buffer) => buffer.length === bytes)
    const [again] = at < 0 ? [] : spare.splice(at, 1)
    // Buffers of other sizes make room: those that wait to be used again count too.
    while (used.memory + sizeOf(spare) > memory) spare.shift()
    const buffer = again ?? Buffer.allocUnsafeSlow(bytes)
    return memoryPlace(buffer, () => {
      used.memory -= bytes
      if (spare.length < keptBuffers && bytes >= mib) spare.push(buffer)
      admit()
    })
  }
  const onDisk = async (bytes: number): Promise<Place> => {
    used.disk += bytes
    const free = () => {
      used.disk -= bytes
      admit()
    }
    return diskPlace(directory, bytes, free).catch((error) => {
      free()
      throw error
    })
  }
  const tryTake = ({ bytes, patient }: Wish): Promise<Place> | Place | null => {
    if (used.memory + bytes <= memory) return inMemory(bytes)
    return !patient && used.disk + bytes <= disk ? onDisk(bytes) : null
  }
  const admit = () => {
    for (let next = waiting[0]; next; next = waiting[0]) {
      const place = tryTake(next)
      if (!place) return
      waiting.shift()
      next.settle(place)
    }
  }

  return {
    used,
    async take(bytes, { patient = false, signal } = {}) {
      if (bytes > memory && bytes > disk) throw tooLarge(bytes, { memory, disk })
      const wish = { bytes, patient: patient && bytes <= memory }
      // Nobody overtakes, or a large part would wait for ever behind small ones.
      const place = waiting.length === 0 ? tryTake(wish) : null
      if (place) return place
      signal?.throwIfAborted()
      return enqueue({ waiting, admit }, wish, signal)
    },
  }
}

function sizeOf(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0)
}

interface Wish {
  bytes: number
  patient: boolean
}

interface Waiter extends Wish {
  settle(place: Place | Promise<Place>): void
}

function enqueue(
  { waiting, admit }: { waiting: Waiter[]; admit(): void },
  wish: Wish,
  signal?: AbortSignal,
): Promise<Place> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      waiting.splice(waiting.indexOf(waiter), 1)
      reject(signal?.reason)
      // It may have stood in front of somebody for whom there is room.
      admit()
    }
    const waiter: Waiter = {
      ...wish,
      settle(place) {
        signal?.removeEventListener('abort', giveUp)
        resolve(place)
      },
    }
    waiting.push(waiter)
    signal?.addEventListener('abort', giveUp, { once: true })
  })
}

function memoryPlace(buffer: Buffer, free: () => void): Place {
  let length = 0
  let released = false
  return {
    capacity: buffer.length,
    get length() {
      return length
    },
    append(chunk) {
      const taken = chunk.copy(buffer, length)
      length += taken
      return taken
    },
    body: () => buffer.subarray(0, length),
    release() {
      if (!released) free()
      released = true
    },
  }
}

/** A file without a name: nothing is left of it however the process ends (SEC-39). */
async function diskPlace(
  directory: string,
  capacity: number,
  free: () => void,
): Promise<Place> {
  const handle = await openNameless(directory).catch((cause) => {
    throw unusable(cause)
  })
  const readers = new Set<Readable>()
  let length = 0
  let released = false
  return {
    capacity,
    get length() {
      return length
    },
    async append(chunk) {
      const fitting = chunk.subarray(0, capacity - length)
      await writeAll(handle, fitting, length).catch((cause) => {
        throw unusable(cause)
      })
      length += fitting.length
      return fitting.length
    },
    body() {
      const reader = Readable.from(pieces(handle, length), { objectMode: false })
      readers.add(reader.once('close', () => readers.delete(reader)))
      // Who reads it is told of an error; unheard, one that comes later would end the process.
      return reader.on('error', () => {})
    },
    release() {
      if (released) return
      released = true
      // Closing waits for a read that is under way: another file must not get its number.
      for (const reader of readers) reader.destroy()
      handle.close().then(free, free)
    },
  }
}

/** Of Linux, on most processors: a file that never had a name. Node has no word for it. */
const O_TMPFILE = 0o20200000

async function openNameless(directory: string): Promise<FileHandle> {
  if (process.platform !== 'linux') return openUnlinked(directory)
  const nameless = open(directory, constants.O_RDWR | O_TMPFILE, 0o600)
  return nameless.catch(() => openUnlinked(directory))
}

/** Between the two calls a process that is killed leaves an empty file. */
async function openUnlinked(directory: string): Promise<FileHandle> {
  const path = join(directory, `carcosa-${randomBytes(12).toString('hex')}.part`)
  const handle = await open(path, 'wx+', 0o600)
  await unlink(path)
  return handle
}

async function* pieces(handle: FileHandle, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < length; ) {
    const piece = Buffer.allocUnsafe(Math.min(64 * 1024, length - at))
    const { bytesRead } = await handle.read(piece, 0, piece.length, at)
    if (bytesRead === 0) throw new Error('a staging file became shorter')
    yield piece.subarray(0, bytesRead)
    at += bytesRead
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const left = bytes.length - done
    done += (await handle.write(bytes, done, left, at + done)).bytesWritten
  }
}

function tooLarge(bytes: number, ceilings: { memory: number; disk: number }) {
  return new CarcosaError('CONFIG_INVALID', {
    message: `A part of ${bytes} bytes fits neither into the ${ceilings.memory} bytes of staging memory nor into the ${ceilings.disk} of staging disk. Raise stagingMemory or stagingDisk, or lower maxFileSize of the route.`,
    details: { bytes, ...ceilings },
  })
}

function unusable(cause: unknown) {
  return new CarcosaError('STORAGE_UNAVAILABLE', {
    message:
      'Bytes on their way to the store cannot be kept on disk. What was acknowledged is kept; retry.',
    headers: { 'Retry-After': '5' },
    cause,
  })
}
