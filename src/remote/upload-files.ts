import { assertFew, each, readConcurrency, toOutcome } from '../shared/many.ts'
import type { UploadBody } from '../uploads/body.ts'
import type {
  RemoteFile,
  RemoteFiles,
  RemoteItem,
  RemoteManyOptions,
  RemoteOutcome,
  RemoteSource,
  RemoteUploadOptions,
} from './api.ts'
import { createBytes } from './bytes.ts'
import { readCall } from './settings.ts'
import { createTransport, type Json, pathOf, type Transport } from './transport.ts'
import { sendBytes } from './tus.ts'
import { ticketIn } from './uploads.ts'

/** How long a server may take to fetch a file, in ms. */
const fetchingMs = 15 * 60_000

export function createUploadFiles(
  transport: Transport,
  reviveFile: (json: Json) => RemoteFile,
): Pick<RemoteFiles, 'upload' | 'uploadFromUrl'> {
  const upload = async (item: RemoteItem, options: RemoteUploadOptions) => {
    const { body, ...own } = isDescribed(item) ? item : { body: item }
    const { signal, ...said } = { ...namesOf(body), ...options, ...own }
    const within = ending(transport, signal)
    const bytes = createBytes(body, said.size)
    try {
      const size = bytes.size === null ? {} : { size: bytes.size }
      const wanted = { ownerId: null, ...said, ...size }
      const begun = await within.ask({ method: 'POST', path: '/uploads', body: wanted })
      const allowed = { route: said.route, ticket: ticketIn(begun.json) }
      const id = await sendBytes(within, allowed, bytes)
      const { json } = await within.ask({ method: 'GET', path: pathOf`/files/${id}` })
      return reviveFile(json)
    } finally {
      await bytes.close()
    }
  }
  const fetch = async (source: RemoteSource, options: RemoteUploadOptions) => {
    const isUrl = typeof source === 'string' || source instanceof URL
    const { url, ...own } = isUrl ? { url: source } : source
    const { signal, size: _, ...said } = { ...options, ...own }
    const body = { ownerId: null, ...said, url: String(url) }
    const path = '/files/from-url'
    const asked = { method: 'POST', path, body, patience: fetchingMs } as const
    return reviveFile((await ending(transport, signal).ask(asked)).json)
  }
  return { upload: oneOrMany(upload), uploadFromUrl: oneOrMany(fetch) }
}

type OneOrMany<Item> = {
  (item: Item, options: RemoteUploadOptions): Promise<RemoteFile>
  (items: readonly Item[], options: RemoteManyOptions): Promise<RemoteOutcome[]>
}

function oneOrMany<Item>(
  one: (item: Item, options: RemoteUploadOptions) => Promise<RemoteFile>,
): OneOrMany<Item> {
  const both = async (given: Item | readonly Item[], options: RemoteManyOptions) => {
    const { concurrency, ...common } = options
    // What is a list is a list of them.
    if (!Array.isArray(given)) return one(given as Item, common)
    const limit = readConcurrency(concurrency)
    assertFew(given)
    const results = await each(given, limit, (item: Item) => one(item, common))
    common.signal?.throwIfAborted()
    return results.map(toOutcome)
  }
  // A list is answered with a list, anything else with a file.
  return both as OneOrMany<Item>
}

/** The same, ended by this signal as well. */
function ending(transport: Transport, signal: AbortSignal | undefined): Transport {
  if (!signal) return transport
  const { settings } = transport
  const both = settings.signal ? AbortSignal.any([settings.signal, signal]) : signal
  return createTransport({ ...settings, ...readCall({ signal: both }) })
}

function isDescribed(
  item: RemoteItem,
): item is Extract<RemoteItem, { body: UploadBody }> {
  return typeof item === 'object' && Object.getPrototypeOf(item) === Object.prototype
}

/** What a File says of itself; a `customId` too, as UploadThing's UTFile has it. */
function namesOf(body: UploadBody): Partial<RemoteUploadOptions> {
  if (!(body instanceof Blob)) return {}
  const { name, customId, type }: { name?: unknown; customId?: unknown; type: string } =
    body
  return {
    ...(typeof name === 'string' && { filename: name }),
    ...(typeof customId === 'string' && { customId }),
    ...(type !== '' && { type }),
  }
}
