import * as fs from 'node:fs'
import { lstat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CarcosaError } from '../../src/shared/errors.ts'
import { occupied } from '../writing/occupied.ts'
import type { Directories } from './directories.ts'
import { codeOf, nullIfMissing, storageError } from './errors.ts'
import { closeFile, openFile, syncDirectory, syncFile } from './sync.ts'

// Windows has no such flag.
const { O_WRONLY, O_CREAT, O_EXCL, O_RDONLY, O_NOFOLLOW = 0 } = fs.constants

/** Of a link in place of a file nothing is read. */
export const readFlags = O_RDONLY | O_NOFOLLOW

/**
 * A descriptor positioned nowhere: writes name their position. Bytes beyond `offset` were
 * never acknowledged (a crash left them) and are cut off, so that no stale tail can survive
 * under new bytes. Where `fresh` nothing may be there.
 *
 * @throws {CarcosaError} OBJECT_EXISTS, STORAGE_UNAVAILABLE …
 */
export async function openForWriting(
  path: string,
  { offset, fresh }: { offset: number; fresh: boolean },
  directories: Directories,
): Promise<number> {
  try {
    const created = offset === 0 ? await createFile(path, directories) : null
    if (created !== null) return created
    if (fresh) throw occupied()
    await directories.check(path)
    const fd = await openFile(path, O_WRONLY | O_NOFOLLOW)
    try {
      await fitLength(fd, offset)
      return fd
    } catch (error) {
      await closeFile(fd)
      throw error
    }
  } catch (cause) {
    throw storageError(cause)
  }
}

/** What makes bytes written from `offset` on outlive a power cut: for the first, the name. */
export function syncingOf(path: string, fd: number, offset: number) {
  let named = offset > 0
  return async () => {
    const name = named ? null : syncDirectory(dirname(path))
    await Promise.all([syncFile(fd), name])
    named = true
  }
}

/** Null if there is nothing. @throws if there is something, but no file */
export async function sizeOf(path: string): Promise<number | null> {
  const found = await lstat(path).catch(nullIfMissing)
  return found && requireFile(found).size
}

export function requireFile<Found extends fs.Stats>(found: Found): Found {
  if (found.isFile()) return found
  const code = found.isSymbolicLink() ? 'ELOOP' : 'EISDIR'
  throw storageError(Object.assign(new Error('it is not a plain file'), { code }))
}

/** Null if there already is one. */
async function createFile(
  path: string,
  directories: Directories,
): Promise<number | null> {
  try {
    const flags = O_WRONLY | O_CREAT | O_EXCL
    return await directories.within(path, () => openFile(path, flags))
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return null
    throw error
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
