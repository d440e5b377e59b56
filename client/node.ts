import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CarcosaClientError } from './errors.ts'
import type { UploadSource } from './source.ts'
import {
  isOutdated,
  isStoredUpload,
  parseStoredUpload,
  type StoredUpload,
  type UploadStorage,
} from './storage.ts'

/** What `fromPath` may be told about a file. */
export interface FromPathOptions {
  /** Default: the last part of the path. */
  name?: string
  /** MIME type. Default: none, so that the server decides by name and content. */
  type?: string
}

/**
 * The file at `path`, to be uploaded without ever being in memory as a whole.
 *
 * Every read checks that size and time of change are still those of now, and throws
 * FILE_UNREADABLE if not: half of one version and half of another is no file.
 * @throws {Error} ENOENT and the like, from the file system
 */
export async function fromPath(
  path: string,
  options: FromPathOptions = {},
): Promise<UploadSource> {
  const { size, mtimeMs } = await statFile(path)
  return {
    name: options.name ?? basename(path),
    size,
    type: options.type ?? '',
    lastModified: Math.trunc(mtimeMs),
    async *stream(start, end) {
      await assertUnchanged(path, size, mtimeMs)
      if (end > start) {
        yield* createReadStream(path, { start, end: end - 1, highWaterMark: 512 * 1024 })
      }
      await assertUnchanged(path, size, mtimeMs)
    },
  }
}

/**
 * Remembers unfinished uploads as small JSON files in `directory`, which is created when
 * needed. Each entry is a file of its own, replaced as a whole, so that programs running at
 * the same time cannot damage each other's; it is readable by its owner only, because a
 * ticket is a credential.
 */
export function fileStorage(directory: string): UploadStorage {
  const pathOf = (key: string) =>
    join(directory, `${createHash('sha256').update(key).digest('hex')}.json`)
  return {
    get: (key) => readEntry(pathOf(key)),
    async set(key, upload) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const path = pathOf(key)
      const draft = `${path}.${randomUUID()}.tmp`
      await writeFile(draft, JSON.stringify(upload), { mode: 0o600 })
      await rename(draft, path)
    },
    remove: (key) => rm(pathOf(key), { force: true }),
    async list() {
      const names = await readdir(directory).catch(absentAs<string[]>([]))
      const entries = names.filter((name) => name.endsWith('.json'))
      const uploads = await Promise.all(
        entries.map((name) => readCurrent(join(directory, name))),
      )
      return uploads.filter((upload) => upload !== null)
    },
  }
}

async function statFile(path: string) {
  const stats = await stat(path)
  if (stats.isFile()) return stats
  throw new CarcosaClientError('FILE_UNREADABLE', {
    message: `"${path}" is not a file. Upload the files in it one by one.`,
  })
}

async function assertUnchanged(path: string, size: number, mtimeMs: number) {
  const now = await stat(path)
  if (now.size === size && now.mtimeMs === mtimeMs) return
  throw new CarcosaClientError('FILE_UNREADABLE', {
    message: `"${path}" was changed while it was uploaded. Upload it again.`,
    details: { size, now: now.size },
  })
}

async function readEntry(path: string): Promise<StoredUpload | null> {
  const text = await readFile(path, 'utf8').catch(absentAs(null))
  return parseStoredUpload(text)
}

/** Removes the entry instead if its upload is long gone. */
async function readCurrent(path: string): Promise<StoredUpload | null> {
  const upload = await readEntry(path)
  if (isStoredUpload(upload) && !isOutdated(upload)) return upload
  await rm(path, { force: true })
  return null
}

function absentAs<T>(value: T) {
  return (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT') return value
    throw error
  }
}
