import type {
  AnyRouter,
  InputField,
  RouteNames,
  RouteServerData,
} from '../src/routes/infer.ts'
import { type Api, createApi, type RouteDocument } from './api.ts'
import type { CarcosaClientError } from './errors.ts'
import type { FileStatus, FileUploadParts } from './file-upload.ts'
import { fingerprint } from './fingerprint.ts'
import type { HeadersSource } from './headers.ts'
import { createCaller } from './http.ts'
import { createKeys, type Keys } from './keys.ts'
import type { Progress } from './progress.ts'
import { persist, type RetryOptions, type RetryPolicy, retryPolicy } from './retry.ts'
import { createSlots, type Slots } from './slots.ts'
import { describeFile, type Uploadable } from './source.ts'
import {
  defaultStorage,
  memoryStorage,
  type StoredUpload,
  type UploadStorage,
} from './storage.ts'
import { createTickets } from './tickets.ts'
import { Upload, type UploadResult } from './upload.ts'

export interface ClientOptions {
  /** Where Carcosa is mounted. Absolute; in browsers also a path such as `/media`. */
  url: string | URL
  /** Sent with every request. A function is asked each time, e.g. for a fresh token. */
  headers?: HeadersSource
  /** As for `fetch`; `include` sends cookies to other origins. Default `same-origin`. */
  credentials?: RequestCredentials
  /** Bytes per request, for proxies that limit bodies. Default: no limit. */
  chunkSize?: number
  /**
   * Files on their way at a time. Default 3: over HTTP/1.1 a browser has six connections to
   * a server, and the page needs some of its own.
   */
  parallelFiles?: number
  /**
   * Sends bytes straight to the store where route and store allow it, and through the server
   * where they do not. The bucket's CORS rules must allow it. Default false.
   */
  direct?: boolean
  retry?: RetryOptions
  /**
   * Where unfinished uploads are remembered; false for nowhere. Default: localStorage in
   * browsers, memory elsewhere. For Node see `fileStorage` of `carcosa/client/node`.
   */
  storage?: UploadStorage | false
  /**
   * Whose uploads these are, e.g. a user id, so that two people who share a browser do not
   * meet each other's unfinished uploads.
   */
  owner?: string
  /** Default: the global one. It carries everything but the bytes of files. */
  fetch?: typeof globalThis.fetch
}

/** What belongs to one batch. `input` is there if, and as, its route asks for it. */
export type UploadOptions<
  R extends AnyRouter,
  Name extends RouteNames<R>,
> = BatchOptions & InputField<R, Name>

export interface BatchOptions {
  /** In addition to those of the client. */
  headers?: HeadersSource
  /** Default: as for the client. */
  direct?: boolean
  /**
   * Stops the batch: it fails with UploadAbortedError. What the server has is kept, and the
   * same file uploaded again goes on from there; `Upload.cancel` is what removes it.
   */
  signal?: AbortSignal
  /** Called whenever bytes were sent, with all files and each. */
  onProgress?(progress: Progress, files: readonly FileStatus[]): void
}

type OptionsArgument<R extends AnyRouter, Name extends RouteNames<R>> =
  Record<never, never> extends UploadOptions<R, Name>
    ? [options?: UploadOptions<R, Name>]
    : [options: UploadOptions<R, Name>]

/** A list of files: an array, the `FileList` of an input, any iterable. */
export type UploadableList = Iterable<Uploadable> | ArrayLike<Uploadable>

/** Uploads to the routes of one Carcosa server, typed by its router. */
export interface Client<R extends AnyRouter> {
  /**
   * Uploads `files` and waits for all of them.
   *
   * Rejects unless every file arrived, so that `files[0].serverData` is there whenever the
   * next line runs; a failed file does not stop the others, and the error has their results.
   * @throws {UploadFailedError} if a file failed; `files` tells each one's end
   * @throws {UploadAbortedError} if `signal` stopped it
   */
  upload<Name extends RouteNames<R>>(
    route: Name,
    files: UploadableList,
    ...options: OptionsArgument<R, Name>
  ): Promise<UploadResult<RouteServerData<R, Name>>>
  /** Begins to upload `files` and returns what controls it. */
  create<Name extends RouteNames<R>>(
    route: Name,
    files: UploadableList,
    ...options: OptionsArgument<R, Name>
  ): Upload<RouteServerData<R, Name>>
  /** What each route accepts, as the server tells it. Asked once. */
  routes(): Promise<Record<string, RouteDocument>>
  /** Uploads that were begun and not finished: choose the same file to go on with one. */
  unfinished(): Promise<StoredUpload[]>
}

/**
 * A client for the Carcosa server at `options.url`.
 * @throws {TypeError} for options that make no sense
 *
 * @example
 * import type { Router } from './server'
 * const client = createClient<Router>({ url: '/media' })
 * const { files } = await client.upload('avatar', [file], { input: { albumId: '1' } })
 */
export function createClient<R extends AnyRouter = AnyRouter>(
  options: ClientOptions,
): Client<R> {
  const core = createCore(options)

  function create<Name extends RouteNames<R>>(
    route: Name,
    files: UploadableList,
    ...[batch = {}]: [options?: BatchOptions & { readonly input?: unknown }]
  ) {
    const parts = partsOf(core, { route, files: Array.from(files), ...batch })
    const upload = new Upload<RouteServerData<R, Name>>(parts, batch.signal)
    const { onProgress } = batch
    if (!onProgress) return upload
    upload.subscribe((event) => {
      const { progress, files: all } = upload.current
      if (event.type === 'progress' || event.type === 'state') onProgress(progress, all)
    })
    return upload
  }

  return {
    create,
    upload: (route, files, ...rest) => create(route, files, ...rest).done,
    routes: () => core.routes(),
    unfinished: () => core.storage.list(),
  }
}

/**
 * Parts of files on their way to the store at a time: over HTTP/1.1 a browser has six
 * connections to it, and a request that waits for one looks like one that stalls.
 */
const maxParts = 5

/** The options, understood once, and what all batches share. */
interface Core {
  readonly api: Api
  readonly options: ClientOptions
  readonly policy: RetryPolicy
  readonly storage: UploadStorage
  readonly slots: Slots
  readonly partSlots: Slots
  readonly keys: Keys
  routes(): Promise<Record<string, RouteDocument>>
}

function createCore(options: ClientOptions): Core {
  const { headers, credentials, storage, chunkSize, parallelFiles = 3 } = options
  assertAtLeastOne('chunkSize', chunkSize)
  assertAtLeastOne('parallelFiles', parallelFiles)
  const fetch = options.fetch ?? ((...request) => globalThis.fetch(...request))
  const api = createApi(
    absolute(options.url),
    createCaller({ headers, credentials, fetch }),
  )
  let known: Promise<Record<string, RouteDocument>> | null = null
  return {
    api,
    options,
    policy: retryPolicy(options.retry),
    storage: storage === false ? memoryStorage() : (storage ?? defaultStorage()),
    slots: createSlots(parallelFiles),
    partSlots: createSlots(maxParts),
    keys: createKeys(),
    routes() {
      const asked = known ?? api.routes({ signal: new AbortController().signal })
      known = asked
      asked.catch(() => {
        known = null
      })
      return asked
    },
  }
}

/** One call of `create`. */
interface Batch extends BatchOptions {
  readonly route: string
  readonly files: readonly Uploadable[]
  readonly input?: unknown
}

function partsOf(core: Core, batch: Batch): FileUploadParts[] {
  const { api, policy, storage, options } = core
  const { route, files, input, direct = options.direct ?? false } = batch
  const descriptions = files.map(describeFile)
  const isRetryable = (error: CarcosaClientError) =>
    error.retryable || (error.status === 401 && mayRenew(options, batch))
  const tickets = createTickets({
    api,
    route,
    files: descriptions,
    input,
    direct,
    headers: batch.headers,
    policy,
    isRetryable,
  })
  const scope = { endpoint: api.endpoint(route), input, owner: options.owner }
  return files.map((file, index) => {
    const description = descriptions[index] ?? describeFile(file)
    const job = {
      file,
      description,
      index,
      route,
      api,
      tickets,
      storage,
      headers: [options.headers, batch.headers],
      policy,
      chunkSize: options.chunkSize ?? Number.POSITIVE_INFINITY,
      withCredentials: options.credentials === 'include',
      direct,
      partSlots: core.partSlots,
      isRetryable,
      awaitsServerData: (signal: AbortSignal) => awaitsServerData(core, route, signal),
    }
    return {
      job,
      fingerprint: fingerprint(file, description, scope),
      keys: core.keys,
      slots: core.slots,
    }
  })
}

/** A refused credential may be replaced by the next one only where there is a function. */
function mayRenew(...options: { headers?: HeadersSource }[]): boolean {
  return options.some(({ headers }) => typeof headers === 'function')
}

/** True also where the server cannot be asked: to wait in vain costs little. */
async function awaitsServerData(core: Core, route: string, signal: AbortSignal) {
  const plan = { policy: { ...core.policy, attempts: 2 }, signal }
  try {
    const routes = await persist(() => core.routes(), plan)
    return routes[route]?.awaitServerData ?? true
  } catch {
    signal.throwIfAborted()
    return true
  }
}

function absolute(url: string | URL): URL {
  const base = globalThis.location?.href
  if (URL.canParse(String(url), base)) return new URL(url, base)
  throw new TypeError(
    `createClient: "${url}" is not an absolute URL, and only a browser can complete it. Write e.g. "https://example.com/media".`,
  )
}

function assertAtLeastOne(name: string, value: number | undefined) {
  if (value === undefined || value >= 1) return
  throw new TypeError(`createClient: ${name} is ${value}; it must be at least 1.`)
}
