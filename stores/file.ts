import * as fs from 'node:fs'
import { access, mkdir, open, stat, unlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CarcosaError } from '../src/shared/errors.ts'
import { append, type WriteLoad } from './file-append.ts'
import type { Store } from './store.ts'

export interface FileStoreOptions {
  /** Where the files are kept; created if missing. */
  directory: string
}

/**
 * Keeps each object as one plain file, `<directory>/<first character of key>/<key>`, mode
 * 0600. A file grows in place while it is uploaded: there is no temporary copy, no
 * sidecar and no rename, so nothing is left behind by a crash. Which files are finished is
 * the database's to say.
 *
 * A written byte is safe when the kernel has it: it survives the process, not a power cut.
 *
 * @throws {TypeError} if `directory` is not a non-empty string
 */
export function file(options: FileStoreOptions): Store {
  if (typeof options?.directory !== 'string' || options.directory === '') {
    throw new TypeError('file({ directory }): directory must be a non-empty path')
  }
  const root = resolve(options.directory)
  const pathOf = (key: string) => join(root, shardOf(key), key)
  const lengths = createLengths()
  const load: WriteLoad = { uploads: 0 }

  return {
    kind: 'file',

    async start() {
      try {
        await mkdir(root, { recursive: true, mode: 0o700 })
        await access(root, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
      } catch (cause) {
        throw new CarcosaError('STORAGE_UNAVAILABLE', {
          message: `The file store cannot write to its directory (${reason(cause)}). Create it, or give this process permission to read and write it.`,
          cause,
        })
      }
    },

    async write(key, offset, source) {
      const fd = await openForWriting(pathOf(key), offset)
      try {
        const length = await append({ fd, position: offset, load }, source)
        lengths.put(key, length)
        return length
      } catch (cause) {
        throw storageError(cause)
      } finally {
        await close(fd)
      }
    },

    async offset(key) {
      return (await sizeOf(pathOf(key))) ?? 0
    },

    async complete(key, size) {
      // A remembered length proves what is there, but not that it is wrong: another process,
      // or a write that failed, may have added to it.
      if (lengths.take(key) === size) return
      const held = await sizeOf(pathOf(key))
      if (held === size) return
      throw new CarcosaError('STORAGE_CORRUPT', {
        message: `The store holds ${held ?? 'no'} bytes of an upload of ${size} bytes.`,
        details: { held, size },
      })
    },

    async open(key, range) {
      const handle = await open(pathOf(key), 'r').catch(nullIfMissing)
      return handle?.createReadStream({ ...range, highWaterMark: 512 * 1024 }) ?? null
    },

    async stat(key) {
      const size = await sizeOf(pathOf(key))
      return size === null ? null : { size }
    },

    async remove(key) {
      await unlink(pathOf(key)).catch(nullIfMissing)
    },
  }
}

/** Keys are ids of ours; anything else would be a path chosen by somebody. */
function shardOf(key: string): string {
  if (!/^[A-Za-z0-9_-]{3,200}$/.test(key)) {
    throw new TypeError(`file store: ${JSON.stringify(key)} is not a key it can keep`)
  }
  return key.slice(0, 1)
}

/**
 * How long this process left the files it wrote last: it set the length when it opened them
 * and knows of every byte since, so completing them need not ask the file system.
 */
function createLengths() {
  const capacity = 1_000
  const lengths = new Map<string, number>()
  return {
    put(key: string, length: number) {
      lengths.set(key, length)
      if (lengths.size > capacity) lengths.delete(lengths.keys().next().value ?? key)
    },
    take(key: string): number | undefined {
      const length = lengths.get(key)
      lengths.delete(key)
      return length
    },
  }
}

/**
 * A descriptor positioned nowhere: writes name their position. Bytes beyond `offset` were
 * never acknowledged (a crash left them) and are cut off, so that no stale tail can survive
 * under new bytes.
 */
async function openForWriting(path: string, offset: number): Promise<number> {
  const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants
  try {
    if (offset === 0) {
      const fd = await openCreatingShard(path, O_WRONLY | O_CREAT | O_EXCL)
      if (fd !== null) return fd
    }
    const fd = await openFile(path, O_WRONLY)
    try {
      await fitLength(fd, offset)
      return fd
    } catch (error) {
      await close(fd)
      throw error
    }
  } catch (cause) {
    throw storageError(cause)
  }
}

async function openCreatingShard(path: string, flags: number): Promise<number | null> {
  try {
    return await openFile(path, flags)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return null
    if (codeOf(error) !== 'ENOENT') throw error
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
    return openCreatingShard(path, flags)
  }
}

async function fitLength(fd: number, offset: number): Promise<void> {
  const size = await new Promise<number>((resolve, reject) => {
    fs.fstat(fd, (error, stats) => (error ? reject(error) : resolve(stats.size)))
  })
  if (size === offset) return
  if (size < offset) {
    throw new CarcosaError('STORAGE_CORRUPT', {
      message: `The store holds ${size} bytes of an upload that stands at ${offset}.`,
      details: { held: size, offset },
    })
  }
  await new Promise<void>((resolve, reject) => {
    fs.ftruncate(fd, offset, (error) => (error ? reject(error) : resolve()))
  })
}

function openFile(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, 0o600, (error, fd) => (error ? reject(error) : resolve(fd)))
  })
}

function close(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.close(fd, (error) => (error ? reject(storageError(error)) : resolve()))
  })
}

async function sizeOf(path: string): Promise<number | null> {
  const info = await stat(path).catch(nullIfMissing)
  return info ? info.size : null
}

/** Only "there is no such file" means absence; every other failure is a failure (tus F2). */
function nullIfMissing(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null
  throw storageError(error)
}

function storageError(cause: unknown): CarcosaError {
  if (cause instanceof CarcosaError) return cause
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(codeOf(cause))) {
    return new CarcosaError('STORAGE_FULL', {
      message:
        'The disk of the store is full. What was acknowledged is kept; resume later.',
      headers: { 'Retry-After': '30' },
      cause,
    })
  }
  return new CarcosaError('STORAGE_UNAVAILABLE', {
    message:
      'The store could not be read or written. What was acknowledged is kept; retry.',
    headers: { 'Retry-After': '5' },
    cause,
  })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function reason(error: unknown): string {
  return codeOf(error) || 'unknown reason'
}
