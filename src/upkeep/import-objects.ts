import type { ListedObject, Store } from '../../stores/store.ts'
import type { NewEvent } from '../events/event.ts'
import { type AdoptedFile, adoptFile, findKnownKeys } from '../files/adopt.ts'
import type { NamedRoute } from '../routes/definition.ts'
import { inBatches } from '../shared/batches.ts'
import { concurrently } from '../shared/concurrently.ts'
import { CarcosaError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { isKey } from '../shared/keys.ts'
import { declaredTypeOf } from '../shared/mime.ts'
import { storeNamed } from '../uploads/admission.ts'
import type { UploadDeps } from '../uploads/deps.ts'
import { fileJob, mirrorOf } from '../uploads/file-job.ts'
import { headBytes } from '../uploads/tails.ts'
import { judgeContent } from '../uploads/verdict.ts'
import { createFailures, type Failure, type Failures, readConcurrency } from './report.ts'

export interface ImportOptions {
  /** Name of the store whose objects are adopted. */
  store: string
  /** The route they shall belong to. */
  route: string
  /** Only objects whose keys begin with this. */
  prefix?: string
  /** Whose files they become. Default nobody's. */
  ownerId?: string
  /** The project they become part of. Default the default project. */
  projectId?: string
  /** Objects at once, 1 to 64. Default 4. */
  concurrency?: number
  /** Counts what would be done, and does nothing. */
  dryRun?: boolean
  /** Called after each object. */
  onProgress?(progress: Readonly<ImportCounts>): void
  /** Ends the run early; the report then says so. */
  signal?: AbortSignal
}

export interface ImportCounts {
  /** Objects that became files. */
  imported: number
  /** Objects that were files, copies or unfinished uploads already. */
  known: number
  /** Objects whose key is none that Carcosa can keep. */
  refused: number
  failed: number
  /** Of what was imported. */
  bytes: number
  /** Imported files that the route would not have taken as an upload. */
  warned: number
}

export interface ImportReport extends ImportCounts {
  /** Of the first 100 objects that were refused, and the first 100 that failed. */
  errors: Failure[]
  /** Of the first 100 that the route would not have taken. */
  warnings: Failure[]
  /** Whether it ended before all objects were looked at. */
  interrupted: boolean
}

/**
 * Makes files of the objects of a store that no row knows. They stay where they are and as they
 * are; the completion callback of the route is not run, and its limits only lead to warnings. A
 * job computes each SHA-256. May be repeated at any time: what was adopted is known.
 *
 * @throws {CarcosaError} STORE_UNKNOWN, ROUTE_NOT_FOUND, PROJECT_NOT_FOUND, PROJECT_DELETED,
 *   BAD_REQUEST, and what the store's
 *   `list` throws
 */
export async function importObjects(
  deps: UploadDeps,
  options: ImportOptions,
): Promise<ImportReport> {
  const { signal = new AbortController().signal, dryRun = false } = options
  const concurrency = readConcurrency(options.concurrency)
  await deps.projects.require(options.projectId ?? deps.settings.projectId)
  const run = begin(deps, options)
  const { counts, refused, errors, warnings } = run
  const report = () => ({
    ...counts,
    refused: refused.count,
    failed: errors.count,
    warned: warnings.count,
  })
  await concurrently(unknownObjects(run, signal), concurrency, async (object) => {
    try {
      if (dryRun) count(run, object.size)
      else await adopt(run, object)
    } catch (error) {
      errors.add({ key: object.key }, error)
    }
    options.onProgress?.(report())
  })
  return {
    ...report(),
    errors: [...refused.list, ...errors.list],
    warnings: warnings.list,
    interrupted: signal.aborted,
  }
}

interface Run {
  deps: UploadDeps
  options: ImportOptions
  store: Store & Required<Pick<Store, 'list'>>
  route: NamedRoute
  counts: { imported: number; known: number; bytes: number }
  refused: Failures
  errors: Failures
  warnings: Failures
}

function begin(deps: UploadDeps, options: ImportOptions): Run {
  const store = storeNamed(deps, options.store)
  const route = deps.route(options.route)
  if (!route) {
    throw new CarcosaError('ROUTE_NOT_FOUND', {
      message: `There is no route ${JSON.stringify(options.route)}.`,
    })
  }
  if (!canList(store)) {
    throw new CarcosaError('BAD_REQUEST', {
      message: `The store "${options.store}" (${store.kind}) cannot list its objects.`,
    })
  }
  return {
    deps,
    options,
    store,
    route,
    counts: { imported: 0, known: 0, bytes: 0 },
    refused: createFailures(),
    errors: createFailures(),
    warnings: createFailures(),
  }
}

function canList(store: Store): store is Run['store'] {
  return store.list !== undefined
}

/** What no row knows, looked up in batches. */
async function* unknownObjects(
  run: Run,
  signal: AbortSignal,
): AsyncGenerator<ListedObject> {
  const { deps, options, counts } = run
  for await (const batch of inBatches(candidates(run), batchSize)) {
    const keys = batch.map(({ key }) => key)
    const known = await findKnownKeys(deps.db, options.store, keys)
    counts.known += known.size
    for (const object of batch) {
      if (signal.aborted) return
      if (!known.has(object.key)) yield object
    }
  }
}

const batchSize = 200

/** What the store lists, but for what is not asked for and what cannot be kept. */
async function* candidates(run: Run): AsyncGenerator<ListedObject> {
  const { prefix = '' } = run.options
  for await (const object of run.store.list()) {
    if (object.key.startsWith(prefix) && !isRefused(run, object)) yield object
  }
}

function isRefused({ refused }: Run, { key }: ListedObject): boolean {
  if (isKey(key)) return false
  const message =
    "Its key is not at most 512 letters, digits and !-_.*'()/ without segments that are empty or only dots. Copy it to such a key."
  refused.add({ key }, new CarcosaError('BAD_REQUEST', { message }))
  return true
}

async function adopt(run: Run, object: ListedObject): Promise<void> {
  const { deps, counts, warnings } = run
  const described = await describe(run, object)
  if (described === null) return
  const { file, problem } = described
  const jobs = [
    ...(deps.settings.digest ? [fileJob(deps, 'upload.digest')] : []),
    ...(mirrorOf(deps, file) ? [fileJob(deps, 'file.mirror')] : []),
  ]
  const counted = await deps.quotas.counts(file.projectId)
  if (!(await adoptFile(deps.db, { file, events: eventsOf(file), jobs, counted }))) {
    const wanted = { bytes: file.size, files: 1 }
    const refused = counted ? await deps.quotas.refusal(file, wanted) : null
    if (refused) throw refused
    counts.known++
    return
  }
  deps.feed.hint()
  if (problem) warnings.add({ key: file.key }, problem)
  count(run, file.size)
}

function count({ counts }: Run, size: number): void {
  counts.imported++
  counts.bytes += size
}

/** What the object is, by its name and first bytes; null if it is gone by now. */
async function describe(
  { deps, options, store, route }: Run,
  { key, size: listed, modifiedAt }: ListedObject,
): Promise<{ file: AdoptedFile; problem: CarcosaError | null } | null> {
  const read = await readHead(store, key, listed)
  if (read === null) return null
  const { head, size } = read
  const filename = key.slice(key.lastIndexOf('/') + 1)
  const declaredType = declaredTypeOf('', filename)
  const said = { route: route.name, declaredType, filename, size }
  const ifNoRule = { contentDisposition: 'inline', acl: 'private', pinned: [] } as const
  const verdict = await judgeContent(deps, { ...said, ...ifNoRule }, { head })
  const { error: problem, detectedType, contentType, contentDisposition, acl } = verdict
  const file: AdoptedFile = {
    ...said,
    id: newId(),
    projectId: options.projectId ?? deps.settings.projectId,
    ownerId: options.ownerId ?? null,
    detectedType,
    contentType,
    contentDisposition,
    acl,
    storeName: options.store,
    key,
    createdAt: modifiedAt,
  }
  return { file, problem }
}

async function readHead(
  store: Store,
  key: string,
  listed: number,
): Promise<{ head: Buffer; size: number } | null> {
  // A listing may be older than the object; and of an empty one no byte can be asked for.
  const held = listed > 0 ? { size: listed } : await store.stat(key)
  if (held === null) return null
  if (held.size === 0) return { head: Buffer.alloc(0), size: 0 }
  const end = Math.min(headBytes, held.size) - 1
  const opened = await store.open(key, { start: 0, end })
  if (opened === null) return null
  const chunks: Buffer[] = []
  for await (const chunk of opened.stream) chunks.push(chunk)
  return { head: Buffer.concat(chunks), size: opened.size }
}

function eventsOf(file: AdoptedFile): NewEvent[] {
  const { id, route, filename, size, ownerId, contentType } = file
  const stored = { id, route, filename, ownerId, size, contentType, sha256: null }
  return [
    { type: 'file.created', data: { id, route, filename, size, ownerId } },
    { type: 'file.stored', data: stored },
    { type: 'file.ready', data: stored },
  ]
}
