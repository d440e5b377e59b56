import * as fs from 'node:fs'
import { access, open, statfs, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { CarcosaError } from '../src/shared/errors.ts'
import { append, type WriteLoad } from './file/append.ts'
import { createAside } from './file/aside.ts'
import { createDirectories, makeRoot } from './file/directories.ts'
import { codeOf, nullIfMissing, storageError } from './file/errors.ts'
import { listFiles } from './file/list.ts'
import { pathOf } from './file/paths.ts'
import { closeFile, syncDirectory, syncFileAt } from './file/sync.ts'
import {
  openForWriting,
  readFlags,
  requireFile,
  sizeOf,
  syncingOf,
} from './file/writing.ts'
import type { NewObject, Store } from './store.ts'
import { createLengths } from './writing/lengths.ts'

export interface FileStoreOptions {
  /** Where the files are kept; created if missing. */
  directory: string
  /**
   * What a byte that was acknowledged survives: the end of the `process` (default), or also a
   * power cut, since it is on `disk`. That costs every upload a wait for the disk.
   */
  durability?: 'process' | 'disk'
  /** The key of a new object; must contain the id, slashes are directories. Default: the id. */
  key?: (object: NewObject) => string
}

/**
 * Keeps each object as one plain file, `<directory>/<first character of key>/<key>`, mode
 * 0600. A file grows in place while it is uploaded: there is no temporary copy, no
 * sidecar and no rename, so nothing is left behind by a crash. Which files are finished is
 * the database's to say: `list` yields all. What is put or copied whole is written aside, in
 * `~aside`, and renamed. Symbolic links below the directory are not followed.
 *
 * @throws {TypeError} if an option is wrong
 */
export function file(options: FileStoreOptions): Store {
  requireOptions(options)
  const { directory, durability = 'process', key: keyFor } = options
  const root = resolve(directory)
  const durable = durability === 'disk'
  const at = (key: string) => pathOf(root, key)
  const lengths = createLengths()
  const load: WriteLoad = { uploads: 0 }
  const directories = createDirectories({ root, durable })
  const aside = createAside({ root, durable }, directories, load)
  /** The size of a file that is not reached by a link. */
  const look = async (path: string) => {
    await directories.check(path).catch(rethrow)
    return sizeOf(path)
  }

  return {
    kind: 'file',
    ...(keyFor && { keyFor }),

    async start() {
      await requireUsable({ root, durable })
      await aside.sweep()
    },

    async probe() {
      await requireUsable({ root, durable })
      // Not every file system knows; one that says 0 of 0 is one of those.
      const { bavail, blocks } = await statfs(root).catch(rethrow)
      if (bavail === 0 && blocks > 0) throw new CarcosaError('STORAGE_FULL')
    },

    async write({ key, offset, fresh = false }, source) {
      const path = at(key)
      const fd = await openForWriting(path, { offset, fresh }, directories)
      try {
        const sync = durable ? syncingOf(path, fd, offset) : undefined
        const length = await append({ fd, position: offset, load, sync }, source)
        // Of an empty file the name is all there is.
        if (length === 0) await sync?.()
        lengths.put(key, length)
        return length
      } catch (cause) {
        throw storageError(cause)
      } finally {
        await closeFile(fd).catch(rethrow)
      }
    },

    async offset({ key, offset }) {
      const size = (await look(at(key))) ?? 0
      // After a power cut a file may be as long as before and still lack bytes: only what was
      // synced counts, and that was told.
      return { offset: durable ? Math.min(size, offset) : size }
    },

    async complete({ key }, size) {
      // A remembered length proves what is there, but not that it is wrong: another process,
      // or a write that failed, may have added to it.
      if (lengths.take(key) === size) return
      const path = at(key)
      const held = await look(path)
      if (held !== size) throw wrongSize(held, size)
      if (!durable) return
      await syncFileAt(path).catch(rethrow)
      await syncDirectory(dirname(path)).catch(rethrow)
    },

    async put(key, body, info) {
      const path = at(key)
      lengths.take(key)
      return aside.put(path, body, info)
    },

    async open(key, range) {
      const path = at(key)
      await directories.check(path).catch(rethrow)
      const handle = await open(path, readFlags).catch(nullIfMissing)
      if (!handle) return null
      try {
        const { size } = requireFile(await handle.stat())
        const options = { ...range, highWaterMark: 512 * 1024 }
        return { size, stream: handle.createReadStream(options) }
      } catch (error) {
        await handle.close()
        throw storageError(error)
      }
    },

    async stat(key) {
      const size = await look(at(key))
      return size === null ? null : { size }
    },

    async remove(key) {
      const path = at(key)
      lengths.take(key)
      await directories.check(path).catch(rethrow)
      const isGone = await unlink(path).then(() => true, nullIfMissing)
      if (!isGone) return
      if (durable) await syncDirectory(dirname(path)).catch(nullIfMissing)
      await directories.prune(path)
    },

    list: () => listFiles(root),

    async copy(from, to) {
      const [source, target] = [at(from), at(to)]
      if ((await look(source)) === null) throw wrongSize(null, null)
      lengths.take(to)
      await aside.copy(source, target)
    },
  }
}

function requireOptions(options: FileStoreOptions): void {
  const { directory, durability, key } = options ?? {}
  if (typeof directory !== 'string' || directory === '') {
    throw new TypeError('file({ directory }): directory must be a non-empty path')
  }
  if (durability !== undefined && durability !== 'process' && durability !== 'disk') {
    throw new TypeError(
      `file({ durability }): it must be "process" or "disk", not ${JSON.stringify(durability)}`,
    )
  }
  if (key !== undefined && typeof key !== 'function') {
    throw new TypeError('file({ key }): key must be a function')
  }
}

async function requireUsable(place: { root: string; durable: boolean }): Promise<void> {
  const { R_OK, W_OK, X_OK } = fs.constants
  try {
    await makeRoot(place)
    await access(place.root, R_OK | W_OK | X_OK)
  } catch (cause) {
    throw unusable(cause)
  }
}

function unusable(cause: unknown): CarcosaError {
  const reason = codeOf(cause) || 'unknown reason'
  return new CarcosaError('STORAGE_UNAVAILABLE', {
    message: `The file store cannot write to its directory (${reason}). Create it, or give this process permission to read and write it.`,
    cause,
  })
}

function wrongSize(held: number | null, size: number | null): CarcosaError {
  return new CarcosaError('STORAGE_CORRUPT', {
    message: `The store holds ${held ?? 'no'} bytes of an upload of ${size ?? 'some'} bytes.`,
    details: { held, size },
  })
}

function rethrow(error: unknown): never {
  throw storageError(error)
}
