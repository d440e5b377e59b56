import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { CarcosaError } from '../../src/shared/errors.ts'
import type { GrowingObject, Memo, Store } from '../../stores/store.ts'
import { type PartTarget, writeParts } from '../../stores/writing/part-writer.ts'
import { putByWriting } from '../../stores/writing/put.ts'
import { createStaging, type Staging } from '../../stores/writing/staging.ts'

/** What a service holds that takes objects in parts; several stores may talk to it. */
export interface PartService {
  readonly objects: Map<string, { bytes: Buffer; at: Date }>
  readonly uploads: Map<string, { key: string; at: Date; parts: Map<number, Buffer> }>
}

export function partService(): PartService {
  return { objects: new Map(), uploads: new Map() }
}

export interface PartStoreOptions {
  partSize: number
  /** Whether every part but the last must have that size. Default false. */
  equal?: boolean
}

/** A store for tests that takes objects in parts, in memory: a service that never fails. */
export function partStore(
  { objects, uploads }: PartService,
  { partSize, equal = false }: PartStoreOptions,
): Store {
  let staging: Staging | undefined
  const uploadOf = (memo: Memo | null) => uploads.get(String(memo?.uploadId))
  const finish = (key: string, bytes: Buffer) => {
    objects.set(key, { bytes: Buffer.from(bytes), at: new Date() })
  }

  const targetFor = (key: string): PartTarget => ({
    concurrency: 3,
    partSize: () => partSize,
    shortPart: (_at, { bytes }) => (equal || bytes < partSize / 2 ? 0 : bytes),
    async whole(body) {
      finish(key, await bytesOf(body.read()))
    },
    async begin() {
      const uploadId = randomUUID()
      uploads.set(uploadId, { key, at: new Date(), parts: new Map() })
      return { uploadId }
    },
    async send(memo, { number, body }) {
      // The later one may be there first.
      for (let turns = 3 * (number % 2); turns > 0; turns--)
        await new Promise(setImmediate)
      uploadOf(memo)?.parts.set(number, Buffer.from(await bytesOf(body.read())))
      return `receipt-${number}`
    },
  })

  const store: Store = {
    kind: 'parts',
    async start(context) {
      staging = context?.staging ?? staging ?? createStaging()
    },
    write(object, source) {
      staging ??= createStaging()
      return writeParts({ target: targetFor(object.key), staging }, object, source)
    },
    async complete(object, size) {
      const { key, memo } = object
      const staged = Buffer.concat(await object.staged())
      const held = memo === null ? staged : await wholeOf(object, staged)
      const there = objects.get(key)?.bytes.length
      if (held.length === size && (size > 0 || there === undefined)) finish(key, held)
      else if (there !== size) throw new CarcosaError('STORAGE_CORRUPT')
      uploads.delete(String(memo?.uploadId))
    },
    put: (key, body, info) => putByWriting(store, { key, body, info }),
    async open(key, range) {
      const bytes = objects.get(key)?.bytes
      if (!bytes) return null
      const wanted = bytes.subarray(range?.start, range && range.end + 1)
      return { size: bytes.length, stream: Readable.from([wanted]) }
    },
    async stat(key) {
      const object = objects.get(key)
      return object ? { size: object.bytes.length } : null
    },
    async remove(key, memo = null) {
      objects.delete(key)
      uploads.delete(String(memo?.uploadId))
    },
    async *list() {
      for (const [key, { bytes, at }] of objects) {
        yield { key, size: bytes.length, modifiedAt: at }
      }
    },
    async *listUnfinished() {
      for (const [uploadId, { key, at }] of uploads) {
        yield { key, memo: { uploadId }, startedAt: at }
      }
    },
  }
  return store

  /** All that was sent and is staged; nothing if a part is missing or another than remembered. */
  async function wholeOf(object: GrowingObject, staged: Buffer): Promise<Buffer> {
    const held = uploadOf(object.memo)?.parts
    const parts = (await object.parts()).map(({ number, size }) => {
      const bytes = held?.get(number)
      return bytes?.length === size ? bytes : null
    })
    const known = parts.filter((part) => part !== null)
    return known.length === parts.length
      ? Buffer.concat([...known, staged])
      : Buffer.alloc(0)
  }
}

async function bytesOf(body: Buffer | Readable): Promise<Buffer> {
  return Buffer.isBuffer(body) ? body : buffer(body)
}
