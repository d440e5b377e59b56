import { createHash, type Hash } from 'node:crypto'
import { Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { addCopy, type Claim, findCopies, findHolder } from '../files/copies.ts'
import type { FileRecord } from '../files/record.ts'
import { findFile, setDigest } from '../files/records.ts'
import { CarcosaError, hasCode } from '../shared/errors.ts'
import { storeNamed } from '../uploads/admission.ts'
import type { UploadDeps } from '../uploads/deps.ts'
import { objectInfo } from '../uploads/growing.ts'
import { claimCopy, type HeldClaim } from './copy-claim.ts'

/** Files up to this size are held in memory and judged before the store gets a byte. */
const wholeBytes = 1024 * 1024

export interface CopyWish {
  /** Name of a store that is not the file's own. */
  to: string
  /** Ends the copying; nothing of it is left then. */
  signal: AbortSignal
}

/** `there`: it had a copy already. `ended`: it was deleted, or moved to another store. */
export type CopyResult = 'copied' | 'there' | 'ended'

/**
 * Copies the object of a finished file to another store and records the copy once it is
 * verified: the bytes have the digest of the file (which is recorded if it was not known), and
 * the store says that it holds all of them. Whatever else happens, nothing is left in the store.
 *
 * @throws {CarcosaError} STORAGE_CORRUPT if the object is missing or not what the row says,
 *   UPLOAD_LOCKED if another writer is at it, STORAGE_UNAVAILABLE, STORAGE_FULL, STORE_UNKNOWN
 */
export async function copyFile(
  deps: UploadDeps,
  file: FileRecord,
  { to, signal }: CopyWish,
): Promise<CopyResult> {
  const claim = await claimCopy(deps, file, to)
  const until = AbortSignal.any([signal, claim.lost])
  try {
    // Looked up under the claim: who had it before may have just finished.
    if (await hasCopy(deps, file, to)) return 'there'
    await transfer(deps, file, { claim, signal: until })
    await deps.faults('copy:before-commit')
    const added = await addCopy(deps.db, file.id, claim)
    if (added) await deps.faults('copy:after-commit')
    else await discard(deps, claim)
    return added ? 'copied' : 'ended'
  } catch (error) {
    await discard(deps, claim)
    if (until.aborted) throw until.reason
    if (await hasMoved(deps, file)) return 'ended'
    throw asStorageError(error)
  } finally {
    await claim.release()
  }
}

/** Whether a file has a copy in a store. */
export async function hasCopy(
  deps: UploadDeps,
  { id }: FileRecord,
  storeName: string,
): Promise<boolean> {
  const copies = await findCopies(deps.db, id)
  return copies.some((copy) => copy.storeName === storeName)
}

async function transfer(
  deps: UploadDeps,
  file: FileRecord,
  { claim, signal }: { claim: Claim; signal: AbortSignal },
): Promise<void> {
  const target = storeNamed(deps, claim.storeName)
  const opened = await storeNamed(deps, file.storeName).open(file.key)
  if (opened === null) throw corrupt(file, 'the store has no object of it')
  const { size, stream } = opened
  if (size !== file.size) {
    stream.destroy()
    throw corrupt(file, `the store has ${size} bytes`)
  }
  const tap = digesting()
  const passed = pipeline(stream, tap.stream, { signal })
  try {
    const info = { ...infoOf(file), size }
    if (size > wholeBytes) await target.put(claim.key, tap.stream, info)
    const whole = size > wholeBytes ? null : await buffer(tap.stream)
    await verifyBytes(deps, file, tap)
    if (whole) await target.put(claim.key, whole, info)
  } catch (error) {
    // The store was told the size, and an end before it is the fault of what was read.
    if (isTooShort(error)) throw corrupt(file, `only ${tap.bytes()} bytes could be read`)
    throw error
  } finally {
    tap.stream.destroy()
    await passed.catch(() => {})
  }
  const held = await target.stat(claim.key)
  if (held?.size !== size) {
    throw corrupt(file, `${held?.size ?? 'no'} bytes arrived in "${claim.storeName}"`)
  }
}

interface Tap {
  readonly stream: Transform
  bytes(): number
  digest(): string
}

function digesting(): Tap {
  const hash: Hash = createHash('sha256')
  let bytes = 0
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      bytes += chunk.length
      done(null, chunk)
    },
  })
  return { stream, bytes: () => bytes, digest: () => hash.digest('hex') }
}

async function verifyBytes(deps: UploadDeps, file: FileRecord, tap: Tap): Promise<void> {
  if (tap.bytes() !== file.size) throw corrupt(file, `${tap.bytes()} bytes were read`)
  const digest = tap.digest()
  if (file.sha256 === null) {
    await setDigest(deps.db, file.id, digest)
    deps.bus.publish(file.id)
  }
  // Somebody else may have recorded it since the row was read.
  const known = file.sha256 ?? (await findFile(deps.db, file.id))?.sha256
  if (known !== digest) throw corrupt(file, `its bytes have the SHA-256 ${digest}`)
}

/** Removes what was written, unless it belongs to somebody or another writer is at it. */
async function discard(deps: UploadDeps, claim: HeldClaim): Promise<void> {
  const { storeName, key } = claim
  try {
    if (!(await claim.holds()) || (await findHolder(deps.db, claim)) !== null) return
    await storeNamed(deps, storeName).remove(key)
  } catch (error) {
    deps.log.warn({ err: error, storeName, key }, 'could not remove a broken copy')
  }
}

/** Whether a file is not any more what was read of it: deleted, or switched to another store. */
async function hasMoved(deps: UploadDeps, file: FileRecord): Promise<boolean> {
  const now = await findFile(deps.db, file.id)
  return (
    now?.state === 'removed' || now?.storeName !== file.storeName || now.key !== file.key
  )
}

/** The route has judged the file already. */
function infoOf(file: FileRecord) {
  const contentType = file.contentType ?? 'application/octet-stream'
  return objectInfo(file, { ...file, contentType, error: null })
}

function isTooShort(error: unknown): boolean {
  return hasCode(error, 'LENGTH_INVALID')
}

function asStorageError(error: unknown): CarcosaError {
  if (error instanceof CarcosaError) return error
  return new CarcosaError('STORAGE_UNAVAILABLE', {
    message: 'The object could not be read to its end.',
    cause: error,
  })
}

function corrupt(file: FileRecord, found: string): CarcosaError {
  return new CarcosaError('STORAGE_CORRUPT', {
    message: `The file ${file.id} of ${file.size} bytes in "${file.storeName}" cannot be copied: ${found}.`,
    details: { id: file.id, storeName: file.storeName },
  })
}
