import { Readable } from 'node:stream'
import { CarcosaError } from '../src/shared/errors.ts'
import { type Connected, connect } from './gcs/client.ts'
import { completeObject } from './gcs/complete.ts'
import { hasNoCredentials, isMissingBucket, toStoreError } from './gcs/errors.ts'
import {
  copyObject,
  deleteObject,
  insert,
  listPage,
  openObject,
  type Place,
  statObject,
} from './gcs/objects.ts'
import { type GcsStoreOptions, readOptions } from './gcs/options.ts'
import { findProgress, withoutEmptySession } from './gcs/resume.ts'
import { cancel } from './gcs/session.ts'
import { partTarget, sessionOf } from './gcs/target.ts'
import type { ByteSource, GrowingObject, ListedObject, Store, UrlGrant } from './store.ts'
import { createLengths } from './writing/lengths.ts'
import { writeParts } from './writing/part-writer.ts'
import { putByWriting } from './writing/put.ts'
import { createStaging, type Staging } from './writing/staging.ts'

export type { GcsStoreOptions } from './gcs/options.ts'

/**
 * Keeps objects in Google Cloud Storage. A file below the size of a part is one request; a
 * larger one is a resumable session, to which parts are sent one after the other. The object
 * itself is written once, when it is whole, so its limit of about one change a second does not
 * matter. Bytes too few to be sent wait in the database.
 *
 * Google forgets a session after a week: an upload that is to live longer (`expiresIn`) fails
 * then, and says so. There is nothing to collect of those that were given up.
 *
 * Needs `@google-cloud/storage`, and of the credentials the role Storage Object User on the
 * bucket (`storage.objects.create`, `get`, `delete`, `list`); signed URLs need a key of a
 * service account, or the right to sign for one.
 *
 * @throws {CarcosaError} CONFIG_INVALID if an option is wrong
 */
export function gcs(options: GcsStoreOptions): Store {
  const settings = readOptions(options)
  const lengths = createLengths()
  let connecting: Promise<Connected> | undefined
  let staging: Staging | undefined
  const located = async (): Promise<Place> => {
    connecting ??= connect(settings)
    return { settings, to: await connecting }
  }
  /** Runs requests; what goes wrong is an error of ours. */
  const ask = async <T>(work: (place: Place) => Promise<T>): Promise<T> =>
    work(await located()).catch((error: unknown) => {
      throw toStoreError(error)
    })
  const write = async (place: Place, object: GrowingObject, source: ByteSource) => {
    staging ??= createStaging()
    const { key, fresh } = object
    const target = partTarget({ place, key, lengths, fresh })
    const growing = await withoutEmptySession(place, object)
    return writeParts({ target, staging }, growing, source)
  }

  const store: Store = {
    kind: 'gcs',
    // Without a prefix the whole bucket would be ours to tidy up.
    exclusive: settings.prefix !== '',
    ...(settings.key && { keyFor: settings.key }),

    async start(context) {
      staging = context?.staging ?? staging ?? createStaging()
      await listPage(await located(), { maxResults: 1 }).catch(requireBucket)
    },

    // That the bucket is there and takes our credentials; whether they may write shows in uploads.
    probe: () =>
      ask(async (place) => {
        await listPage(place, { maxResults: 1 })
      }),

    write: (object, source) => ask((place) => write(place, object, source)),

    offset: (object) => ask((place) => findProgress(place, object)),

    complete: (object, size) =>
      ask((place) => {
        const flush = (whole: GrowingObject) => write(place, whole, nothing())
        return completeObject({ place, lengths, flush }, object, size)
      }),

    put: (key, body, info) =>
      Buffer.isBuffer(body)
        ? ask(async (place) => {
            const whole = { length: body.length, read: () => body }
            await insert(place, key, { body: whole, info })
            return body.length
          })
        : putByWriting(store, { key, body, info }),

    open: (key, range) => ask((place) => openObject(place, key, range)),

    stat: (key) => ask((place) => statObject(place, key)),

    remove: (key, memo = null) =>
      ask(async (place) => {
        lengths.take(key)
        const session = sessionOf(place, memo)
        if (session) await cancel(session)
        await deleteObject(place, key)
      }),

    copy: (from, key) => ask((place) => copyObject(place, from, key)),

    /** The service has no way to answer with another `Cache-Control` than the object's. */
    signedUrl: (key, grant) => ask((place) => sign(place, key, grant)),

    list: () => listObjects(located()),
  }
  return store
}

async function sign(
  { settings, to }: Place,
  key: string,
  { expiresIn, contentType, contentDisposition }: UrlGrant,
): Promise<string> {
  const [url] = await to.bucket.file(settings.prefix + key).getSignedUrl({
    version: 'v4',
    action: 'read',
    expires: Date.now() + Math.min(expiresIn, longestGrant),
    responseType: contentType,
    responseDisposition: contentDisposition,
  })
  return url
}

/** Google signs for no longer than a week. */
const longestGrant = 7 * 24 * 60 * 60 * 1000

async function* listObjects(located: Promise<Place>): AsyncGenerator<ListedObject> {
  const place = await located
  const { prefix } = place.settings
  let pageToken: string | undefined
  do {
    const page = await listPage(place, { maxResults: 1000, pageToken }).catch(rethrow)
    for (const { name, size, updated } of page.items ?? []) {
      const key = name.slice(prefix.length)
      yield { key, size: Number(size), modifiedAt: new Date(updated) }
    }
    pageToken = page.nextPageToken
  } while (pageToken)
}

function nothing(): ByteSource {
  return {
    stream: Readable.from([]),
    limit: 0,
    signal: new AbortController().signal,
    onChunk() {},
    onStored() {},
    onExcess() {},
  }
}

/** At start only what no waiting mends is an error: a service that is down may come back. */
function requireBucket(cause: unknown): void {
  if (hasNoCredentials(cause)) {
    throw new CarcosaError('CONFIG_INVALID', {
      message:
        'gcs(): there are no credentials. Give `credentials` or `keyFilename`, or set GOOGLE_APPLICATION_CREDENTIALS.',
      cause,
    })
  }
  if (!isMissingBucket(cause)) return
  throw new CarcosaError('CONFIG_INVALID', {
    message:
      'gcs(): the bucket does not exist. Create it, or correct bucket or apiEndpoint.',
    cause,
  })
}

function rethrow(error: unknown): never {
  throw toStoreError(error)
}
