import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { copyFile, lstat, readdir, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { CarcosaError } from '../../src/shared/errors.ts'
import type { PutInfo } from '../store.ts'
import { append, type WriteLoad } from './append.ts'
import type { Directories, Place } from './directories.ts'
import { storageError } from './errors.ts'
import { asideName } from './paths.ts'
import { closeFile, openFile, syncDirectory, syncFile, syncFileAt } from './sync.ts'

/** Who crashed left its half of a file aside; who lives does not take that long. */
const abandonedMs = 24 * 3_600_000

/** Whole files: written aside and renamed, so that nobody ever sees a half of one. */
export interface Aside {
  /** @throws what `body` fails with, LENGTH_INVALID, and what the disk says */
  put(path: string, body: Readable | Buffer, info: PutInfo): Promise<number>
  copy(from: string, to: string): Promise<void>
  /** Removes what crashes left. */
  sweep(): Promise<void>
}

export function createAside(
  { root, durable }: Place,
  directories: Directories,
  load: WriteLoad,
): Aside {
  const aside = join(root, asideName)

  /** Lets `fill` make a file aside, and puts it where it belongs. */
  const place = async <T>(path: string, fill: (aside: string) => Promise<T>) => {
    const temporary = join(aside, randomBytes(12).toString('hex'))
    try {
      const result = await fill(temporary)
      await directories.within(path, () => rename(temporary, path)).catch(rethrow)
      if (durable) await syncDirectory(dirname(path)).catch(rethrow)
      return result
    } catch (error) {
      await unlink(temporary).catch(() => {})
      throw error
    }
  }

  return {
    put: (path, body, info) =>
      place(path, async (temporary) => {
        const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants
        const flags = O_WRONLY | O_CREAT | O_EXCL
        const fd = await directories
          .within(temporary, () => openFile(temporary, flags))
          .catch(rethrow)
        try {
          const length = await pour(body, info, { fd, load })
          if (durable) await syncFile(fd).catch(rethrow)
          return length
        } finally {
          await closeFile(fd).catch(rethrow)
        }
      }),

    copy: (from, to) =>
      place(to, async (temporary) => {
        const { COPYFILE_EXCL, COPYFILE_FICLONE } = fs.constants
        const mode = COPYFILE_EXCL | COPYFILE_FICLONE
        await directories
          .within(temporary, () => copyFile(from, temporary, mode))
          .catch(rethrow)
        if (durable) await syncFileAt(temporary).catch(rethrow)
      }),

    async sweep() {
      const before = Date.now() - abandonedMs
      for (const name of await readdir(aside).catch(() => [])) {
        const path = join(aside, name)
        // It may be renamed or swept by another process at this moment.
        const found = await lstat(path).catch(() => null)
        if (found && found.mtimeMs < before) await unlink(path).catch(() => {})
      }
    },
  }
}

/** Writes a whole body; resolves with its length. */
async function pour(
  body: Readable | Buffer,
  info: PutInfo,
  { fd, load }: { fd: number; load: WriteLoad },
): Promise<number> {
  const stream = Buffer.isBuffer(body) ? Readable.from([body]) : body
  const { size } = info
  const length = await append(
    { fd, position: 0, load },
    {
      stream,
      limit: size ?? Number.MAX_SAFE_INTEGER,
      signal: new AbortController().signal,
      onChunk() {},
      onStored() {},
      onExcess() {},
    },
  ).catch(rethrow)
  if (stream.errored) throw stream.errored
  if (stream.readableEnded && (size === undefined || length === size)) return length
  throw new CarcosaError('LENGTH_INVALID', {
    message: `The body was to have ${size ?? 'an end, but broke off after'} bytes, and ${length} were kept.`,
    details: { size: size ?? null, length },
  })
}

function rethrow(error: unknown): never {
  throw storageError(error)
}
