import * as fs from 'node:fs'
import { codeOf } from './errors.ts'

/** Resolves when the bytes of an open file, and its length, are on disk. */
export function syncFile(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fdatasync(fd, (error) => (error ? reject(error) : resolve()))
  })
}

/** Resolves when the bytes of a file that nobody writes any more are on disk. */
export async function syncFileAt(path: string): Promise<void> {
  await withDescriptor(path, fs.constants.O_RDONLY, syncFile)
}

/**
 * Resolves when the names in a directory are on disk: a file may be synced and still be gone
 * after a power cut, because its name was not.
 */
export async function syncDirectory(path: string): Promise<void> {
  await withDescriptor(path, fs.constants.O_RDONLY, async (fd) => {
    await fsync(fd).catch((error: unknown) => {
      // Some file systems of networks cannot, and keep names without being asked.
      if (codeOf(error) !== 'EINVAL') throw error
    })
  })
}

export function openFile(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, 0o600, (error, fd) => (error ? reject(error) : resolve(fd)))
  })
}

export function closeFile(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.close(fd, (error) => (error ? reject(error) : resolve()))
  })
}

async function withDescriptor(
  path: string,
  flags: number,
  work: (fd: number) => Promise<void>,
): Promise<void> {
  const fd = await openFile(path, flags)
  try {
    await work(fd)
  } finally {
    await closeFile(fd)
  }
}

function fsync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fsync(fd, (error) => (error ? reject(error) : resolve()))
  })
}
