import type { Readable } from 'node:stream'
import type { FileRecord } from '../files/record.ts'
import {
  assertFew,
  each,
  type Outcome,
  readConcurrency,
  toOutcome,
} from '../shared/many.ts'
import { sizeOf, toBytes, type UploadBody } from '../uploads/body.ts'
import type { UploadDeps } from '../uploads/deps.ts'
import { type ProgramUpload, uploadFromProgram } from '../uploads/from-program.ts'
import { uploadFromUrl } from '../uploads/from-url.ts'

/** What became of one of several: the file, or why there is none. */
export type UploadOutcome = Outcome<FileRecord>

/** What one of several may say of itself; the rest is said of all of them. */
type OwnOptions = Omit<Partial<ProgramUpload>, 'route' | 'signal' | 'projectId'>

/** One of several: bytes, which a `File` names, or bytes and what is said of them. */
export type UploadItem = UploadBody | (OwnOptions & { body: UploadBody })

/** Where to fetch a file from, and what is said of it. */
export type UrlSource = string | URL | (OwnOptions & { url: string | URL })

/** Of several, what holds for all. */
export interface UploadManyOptions extends ProgramUpload {
  /** How many at a time, 1 to 25. Default 6. */
  concurrency?: number
}

export interface UploadFiles {
  /**
   * Uploads through the same write path as a client: the route's limits, the store, the
   * record, the events and the completion callback. Its input and middleware are for
   * clients and are not run; give `metadata` instead. A `File` brings its name and type.
   * Resolves when the file is stored.
   *
   * @throws {CarcosaError} what the route refuses, CUSTOM_ID_TAKEN, STORAGE_FULL, ROUTE_NOT_FOUND
   */
  upload(body: UploadBody, options: ProgramUpload): Promise<FileRecord>
  /** Several; what fails keeps none of the others. Rejects if `signal` ends it. */
  upload(
    bodies: readonly UploadItem[],
    options: UploadManyOptions,
  ): Promise<UploadOutcome[]>
  /**
   * Fetches a URL and uploads what it answers, under the limits of the route. It leads to the
   * public internet on ports 80 and 443, and to `outboundNetworks`; redirects, at most five, are
   * followed under the same rule, and no credentials are sent. Name and type are those of the URL
   * and its answer unless given. What breaks off leaves nothing.
   *
   * @throws {CarcosaError} SOURCE_INVALID, SOURCE_UNAVAILABLE, and what upload throws
   */
  uploadFromUrl(source: UrlSource, options: ProgramUpload): Promise<FileRecord>
  uploadFromUrl(
    sources: readonly UrlSource[],
    options: UploadManyOptions,
  ): Promise<UploadOutcome[]>
}

type Run = <T>(work: () => Promise<T>) => Promise<T>

export function createUploadFiles(deps: UploadDeps, run: Run): UploadFiles {
  const upload = (item: UploadItem, options: ProgramUpload) => {
    const { body, ...own } = isDescribed(item) ? item : { body: item }
    const size = sizeOf(body)
    const said = {
      ...(size !== undefined && { size }),
      ...namesOf(body),
      ...options,
      ...own,
    }
    return uploadFromProgram(deps, toBytes(body), said)
  }
  const fetch = (source: UrlSource, options: ProgramUpload) => {
    const { url, ...own } = isAddress(source) ? { url: source } : Object(source)
    return uploadFromUrl(deps, deps.egress, { ...options, ...own, url: String(url) })
  }
  return {
    upload: oneOrMany(run, upload),
    uploadFromUrl: oneOrMany(run, fetch),
  }
}

type OneOrMany<Item> = {
  (item: Item, options: ProgramUpload): Promise<FileRecord>
  (items: readonly Item[], options: UploadManyOptions): Promise<UploadOutcome[]>
}

function oneOrMany<Item>(
  run: Run,
  one: (item: Item, options: ProgramUpload) => Promise<FileRecord>,
): OneOrMany<Item> {
  const both = async (given: Item | readonly Item[], options: UploadManyOptions) => {
    const { concurrency, ...common } = options
    if (!Array.isArray(given)) return run(() => one(given as Item, common))
    const limit = readConcurrency(concurrency)
    assertFew(given)
    const results = await run(() => each(given, limit, (item) => one(item, common)))
    common.signal?.throwIfAborted()
    return results.map(toOutcome)
  }
  // A list is answered with a list, anything else with a record.
  return both as OneOrMany<Item>
}

function isAddress(source: UrlSource): source is string | URL {
  return typeof source === 'string' || source instanceof URL
}

function isDescribed(item: UploadItem): item is OwnOptions & { body: UploadBody } {
  return typeof item === 'object' && Object.getPrototypeOf(item) === Object.prototype
}

/** What a File says of itself; a `customId` too, as UploadThing's UTFile has it. */
function namesOf(body: UploadBody | Readable): OwnOptions {
  if (!(body instanceof Blob)) return {}
  const { name, customId, type }: { name?: unknown; customId?: unknown; type: string } =
    body
  return {
    ...(typeof name === 'string' && { filename: name }),
    ...(typeof customId === 'string' && { customId }),
    ...(type !== '' && { type }),
  }
}
