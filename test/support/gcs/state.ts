import { randomBytes } from 'node:crypto'
import { CRC32C } from '@google-cloud/storage'
import type { GcsFaults } from './faults.ts'

export interface GcsObject {
  readonly bytes: Buffer
  readonly resource: Resource
  readonly updated: Date
  readonly generation: number
}

/** What may be attached to an object. */
export interface Resource {
  readonly contentType?: string
  readonly contentDisposition?: string
  readonly cacheControl?: string
  readonly storageClass?: string
  readonly metadata?: Readonly<Record<string, string>>
}

export interface GcsSession {
  readonly id: string
  readonly name: string
  readonly resource: Resource
  /** What is kept for good. */
  bytes: Buffer
  /** The object that was made of it. */
  made: GcsObject | null
}

export interface GcsState {
  readonly bucket: string
  readonly objects: Map<string, GcsObject>
  readonly sessions: Map<string, GcsSession>
  readonly faults: GcsFaults
  /** When each object was changed last, for the limit of changes. */
  readonly changed: Map<string, number>
}

/** An answer that says no. */
export class GcsError extends Error {
  readonly status: number
  readonly reason: string

  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

let generation = 1_700_000_000_000_000

/** @throws {GcsError} if the object changes too often, or has too much metadata */
export function store(
  state: GcsState,
  name: string,
  { bytes, resource }: Pick<GcsObject, 'bytes' | 'resource'>,
): GcsObject {
  change(state, name)
  const metadata = Object.entries(resource.metadata ?? {})
    .flat()
    .join('')
  if (Buffer.byteLength(metadata) > 8 * 1024) {
    throw new GcsError(400, 'metadataTooLarge', 'Your metadata is larger than 8 KiB.')
  }
  const object = { bytes, resource, updated: new Date(), generation: generation++ }
  state.objects.set(name, object)
  return object
}

/** Counts a change of an object. @throws {GcsError} */
export function change({ changed, faults }: GcsState, name: string): void {
  const now = performance.now()
  const last = changed.get(name)
  if (faults.changeEveryMs > 0 && last !== undefined) {
    if (now - last < faults.changeEveryMs) {
      const message = 'The object changes too often.'
      throw new GcsError(429, 'rateLimitExceeded', message)
    }
  }
  changed.set(name, now)
}

/** @throws {GcsError} */
export function found({ objects }: GcsState, name: string): GcsObject {
  const object = objects.get(name)
  if (!object) throw new GcsError(404, 'notFound', `No such object: ${name}`)
  return object
}

export function newSession(name: string, resource: Resource): GcsSession {
  const id = randomBytes(12).toString('hex')
  return { id, name, resource, bytes: Buffer.alloc(0), made: null }
}

/** The object as the JSON API describes it. */
export function describe(state: GcsState, name: string, object: GcsObject) {
  const { resource, bytes, updated } = object
  const crc = new CRC32C()
  crc.update(bytes)
  return {
    kind: 'storage#object',
    bucket: state.bucket,
    name,
    contentType: 'application/octet-stream',
    ...resource,
    size: String(bytes.length),
    crc32c: crc.toString(),
    generation: String(object.generation),
    metageneration: '1',
    timeCreated: updated.toISOString(),
    updated: updated.toISOString(),
  }
}
