import { setTimeout as sleep } from 'node:timers/promises'
import {
  countStored,
  findStored,
  forgetCopy,
  type Place,
  type StoredFile,
  switchPrimary,
} from '../files/copies.ts'
import type { FileRecord } from '../files/record.ts'
import { oneByOne } from '../shared/batches.ts'
import { concurrently } from '../shared/concurrently.ts'
import { CarcosaError, hasCode } from '../shared/errors.ts'
import { storeNamed } from '../uploads/admission.ts'
import type { UploadDeps } from '../uploads/deps.ts'
import { type CopyResult, type CopyWish, copyFile } from './copy.ts'
import { createFailures, type Failure, readConcurrency } from './report.ts'

export interface CopyOptions {
  /** Name of the store whose files are copied. */
  from: string
  /** Name of the store they are copied to. */
  to: string
  /** Files of this route only. */
  route?: string
  /** Makes the verified copy the file's own object, and its own object the copy. */
  switch?: boolean
  /** Files at once, 1 to 64. Default 4. */
  concurrency?: number
  /** Counts what would be done, and does nothing. */
  dryRun?: boolean
  /** Called after each file. */
  onProgress?(progress: CopyProgress): void
  /** Ends the run early; the report then says so. */
  signal?: AbortSignal
}

export interface CopyCounts {
  /** Files copied. */
  copied: number
  /** Files that had a verified copy there, and those that ended meanwhile. */
  skipped: number
  /** Files whose own object is the copy now. */
  switched: number
  failed: number
  /** Of what was copied. */
  bytes: number
}

export interface CopyProgress extends Readonly<CopyCounts> {
  /** Files there were when the run began. */
  readonly files: number
  /** Of those files. */
  readonly totalBytes: number
}

export interface CopyReport extends CopyCounts {
  /** Of the first 100 files that failed. */
  errors: Failure[]
  /** Whether it ended before all files were looked at. */
  interrupted: boolean
}

/**
 * Copies the files of one store to another, each verified. What has a copy there is skipped, so
 * that a run which ended early, however that happened, is continued by doing it again. A file
 * that cannot be copied is reported, and the run goes on.
 *
 * @throws {CarcosaError} STORE_UNKNOWN, BAD_REQUEST
 */
export async function copyFiles(
  deps: UploadDeps,
  options: CopyOptions,
): Promise<CopyReport> {
  const { from, to, route = null, signal = new AbortController().signal } = options
  const concurrency = readConcurrency(options.concurrency)
  for (const name of [from, to]) storeNamed(deps, name)
  if (from === to) {
    throw new CarcosaError('BAD_REQUEST', {
      message: `Files are copied from one store to another, not from "${from}" to itself.`,
    })
  }
  const selection = { storeName: from, route }
  const { files, bytes: totalBytes } = await countStored(deps.db, selection)
  const failures = createFailures()
  const counts = { copied: 0, skipped: 0, switched: 0, bytes: 0 }
  const run = { deps, options, counts, signal }
  /** False if another process has the file in hand. */
  const treat = async (stored: StoredFile): Promise<boolean> => {
    try {
      if (!(await copyOne(run, stored))) return false
    } catch (error) {
      if (signal.aborted) return true
      failures.add({ id: stored.file.id }, error)
    }
    options.onProgress?.({ ...counts, failed: failures.count, files, totalBytes })
    return true
  }
  const later: StoredFile[] = []
  await concurrently(storedFiles(run, selection), concurrency, async (stored) => {
    if (!(await treat(stored))) later.push(stored)
  })
  // What another process was at when its turn came, or one that has died.
  await concurrently(oneByOne(later), concurrency, async (stored) => {
    while (!signal.aborted && !(await treat(stored))) await pause(signal)
  })
  const { count: failed, list: errors } = failures
  return { ...counts, failed, errors, interrupted: signal.aborted }
}

interface Run {
  deps: UploadDeps
  options: CopyOptions
  counts: Omit<CopyCounts, 'failed'>
  signal: AbortSignal
}

const pageSize = 200

async function* storedFiles(
  { deps, options, signal }: Run,
  selection: { storeName: string; route: string | null },
): AsyncGenerator<StoredFile> {
  let after = ''
  for (;;) {
    const page = { to: options.to, after, limit: pageSize }
    const found = await findStored(deps.db, selection, page)
    for (const stored of found) {
      if (signal.aborted) return
      yield stored
    }
    if (found.length < pageSize) return
    after = found.at(-1)?.file.id ?? ''
  }
}

/** Until it is worth asking again whether another process is done. */
async function pause(signal: AbortSignal): Promise<void> {
  await sleep(250, undefined, { signal }).catch(() => {})
}

/** False if another process has the file in hand. */
async function copyOne(run: Run, { file, copy }: StoredFile): Promise<boolean> {
  const { deps, options, counts, signal } = run
  const { to, dryRun = false, switch: switches = false } = options
  const isThere = copy && (!switches || dryRun || (await holds(deps, file, copy)))
  if (isThere || dryRun) count(counts, file, isThere ? 'there' : 'copied')
  else {
    const result = await copyUnlessLocked(deps, file, { to, signal })
    if (result === 'locked') return false
    count(counts, file, result)
  }
  if (!switches) return true
  if (dryRun || (await switchPrimary(deps.db, file, to))) counts.switched++
  return true
}

function count(counts: Run['counts'], { size }: FileRecord, result: CopyResult): void {
  if (result !== 'copied') return void counts.skipped++
  counts.copied++
  counts.bytes += size ?? 0
}

async function copyUnlessLocked(
  deps: UploadDeps,
  file: FileRecord,
  wish: CopyWish,
): Promise<CopyResult | 'locked'> {
  try {
    return await copyFile(deps, file, wish)
  } catch (error) {
    if (hasCode(error, 'UPLOAD_LOCKED')) return 'locked'
    throw error
  }
}

/** Whether the object of a copy is still there; readers will have nothing else in front. */
async function holds(deps: UploadDeps, file: FileRecord, copy: Place): Promise<boolean> {
  const held = await storeNamed(deps, copy.storeName).stat(copy.key)
  if (held?.size === file.size) return true
  await forgetCopy(deps.db, file.id, copy)
  return false
}
