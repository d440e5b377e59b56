import { CarcosaError } from '../src/shared/errors.ts'
import { type Connected, connect } from './s3/client.ts'
import { completeParts } from './s3/complete.ts'
import { directUploads } from './s3/direct.ts'
import { toStoreError } from './s3/errors.ts'
import { listObjects, listOne, listUploads } from './s3/lists.ts'
import {
  abortUpload,
  copyObject,
  deleteObject,
  openObject,
  requireBucket,
  signUrl,
  statObject,
} from './s3/objects.ts'
import { readOptions, type S3StoreOptions } from './s3/options.ts'
import { partTarget, uploadIdOf } from './s3/parts.ts'
import type { GrowingObject, Part, Store } from './store.ts'
import { createLengths, type Lengths } from './writing/lengths.ts'
import { accountOf, type PartTarget, writeParts } from './writing/part-writer.ts'
import { putByWriting } from './writing/put.ts'
import { createStaging, type Staging } from './writing/staging.ts'

export type { S3Profile, S3StoreOptions } from './s3/options.ts'

/**
 * Keeps objects in S3, or in a service that speaks its protocol (see stores/presets.ts and
 * stores/r2.ts). A file below the size of a part is one `PutObject`; a larger one is a
 * multipart upload. Which parts there are is remembered in the database and never asked for,
 * so a `HEAD` costs no request; bytes too few for a part wait in the database, too. There are
 * no sidecar objects.
 *
 * Needs `@aws-sdk/client-s3`, and `@aws-sdk/s3-request-presigner` for signed URLs.
 *
 * @throws {CarcosaError} CONFIG_INVALID if an option is wrong
 */
export function s3(options: S3StoreOptions): Store {
  const settings = readOptions(options)
  const lengths = createLengths()
  let connecting: Promise<Connected> | undefined
  let staging: Staging | undefined
  const connected = () => {
    connecting ??= connect(settings)
    return connecting
  }
  /** Runs requests; what goes wrong is an error of ours. */
  const ask = async <T>(work: (to: Connected) => Promise<T>): Promise<T> =>
    work(await connected()).catch((error: unknown) => {
      throw toStoreError(error)
    })

  const store: Store = {
    kind: settings.profile.kind,
    // Without a prefix the whole bucket would be ours to tidy up.
    exclusive: settings.prefix !== '',
    ...(settings.key && { keyFor: settings.key }),

    async start(context) {
      staging = context?.staging ?? staging ?? createStaging()
      await requireBucket(await connected())
    },

    // That the bucket is there and takes our credentials; whether they may write shows in uploads.
    probe: () => ask(listOne),

    write: (object, source) =>
      ask((to) => {
        staging ??= createStaging()
        const ours = { ...object, memo: withoutDirect(object) }
        const target = remembering(lengths, ours, targetOf(to, ours))
        return writeParts({ target, staging }, ours, source)
      }),

    complete: (object, size) =>
      ask(async (to) => {
        const { key, memo } = object
        const uploadId = memo?.direct ? null : uploadIdOf(memo)
        if (uploadId === null && lengths.take(key) === size) return
        const isOpen = !memo?.direct && accountOf(memo).settled < size
        const last = isOpen ? await flush(to, object, size) : []
        if (uploadId !== null) {
          const parts = [...(await object.parts()), ...last]
          return completeParts(to, { key, uploadId, parts, size })
        }
        const held = await statObject(to, key)
        if (held?.size !== size) throw wrongSize(held?.size ?? null, size)
      }),

    put: (key, body, info) =>
      Buffer.isBuffer(body)
        ? ask(async (to) => {
            const target = partTarget(to, { key, maxSize: body.length })
            await target.whole({ length: body.length, read: () => body }, info)
            return body.length
          })
        : putByWriting(store, { key, body, info }),

    open: (key, range) => ask((to) => openObject(to, key, range)),
    stat: (key) => ask((to) => statObject(to, key)),

    remove: (key, memo = null) =>
      ask(async (to) => {
        lengths.take(key)
        await abortUpload(to, key, memo)
        await deleteObject(to, key)
      }),

    abort: ({ key, memo }) => ask((to) => abortUpload(to, key, memo)),
    copy: (from, key) => ask((to) => copyObject(to, from, key)),
    signedUrl: (key, grant) => ask((to) => signUrl(to, key, grant)),
    list: () => listObjects(connected()),
    listUnfinished: () => listUploads(connected()),
    direct: directUploads(ask),
  }
  return store
}

function targetOf(to: Connected, object: GrowingObject): PartTarget {
  const { key, size, maxSize, memo, offset, fresh = false } = object
  const staged = memo ? 0 : offset
  const isKnown = size !== null
  const most = size ?? maxSize
  return partTarget(to, { key, maxSize: most, isKnown, memo, staged, fresh })
}

/** An object this process put itself, whole, need not be asked for when it is completed. */
function remembering(
  lengths: Lengths,
  { key }: GrowingObject,
  target: PartTarget,
): PartTarget {
  return {
    ...target,
    async whole(body, info) {
      await target.whole(body, info)
      lengths.put(key, body.length)
    },
  }
}

/**
 * A client that was given URLs and sends its bytes here all the same begins anew: parts that it
 * may yet put under those URLs must not count.
 */
function withoutDirect({ memo }: GrowingObject) {
  return memo?.direct ? null : memo
}

/** Sends what is staged, which happens where nobody wrote after the length was declared. */
async function flush(
  to: Connected,
  object: GrowingObject,
  size: number,
): Promise<Part[]> {
  const staged = await object.staged()
  if (staged.length === 0) return []
  const bytes = Buffer.concat(staged)
  const { parts: count, settled: position } = accountOf(object.memo)
  if (position + bytes.length !== size) throw wrongSize(position + bytes.length, size)
  const target = targetOf(to, object)
  const body = { length: bytes.length, read: () => bytes }
  if (object.memo === null) {
    await target.whole(body, await object.describe(bytes.subarray(0, 4100)))
    return []
  }
  const at = { count, position }
  const used = object.contested ? await target.pastContested?.(object.memo, at) : count
  const part = { number: (used ?? count) + 1, position, body, last: true }
  const receipt = (await target.send(object.memo, part)) ?? ''
  return [{ number: part.number, size: bytes.length, receipt }]
}

function wrongSize(held: number | null, size: number): CarcosaError {
  return new CarcosaError('STORAGE_CORRUPT', {
    message: `The store holds ${held ?? 'no'} bytes of an upload of ${size} bytes.`,
    details: { held, size },
  })
}
