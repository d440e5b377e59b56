import { randomUUID } from 'node:crypto'
import {
  type Claim,
  claimPlace,
  findHolder,
  isClaimed,
  keepClaim,
  type Place,
  releaseClaim,
} from '../files/copies.ts'
import type { FileRecord } from '../files/record.ts'
import { CarcosaError } from '../shared/errors.ts'
import { keyFor, storeNamed } from '../uploads/admission.ts'
import type { UploadDeps } from '../uploads/deps.ts'

/** How long a claim outlives the process that has it, in ms. */
const claimMs = 15_000

/** A claim that is prolonged until it is released. */
export interface HeldClaim extends Claim {
  /** Aborted when another writer took it. */
  readonly lost: AbortSignal
  /** Whether it is still ours, as the database knows it. */
  holds(): Promise<boolean>
  release(): Promise<void>
}

/**
 * Claims the place of a file's copy in another store. The key is that of the file; where it
 * would replace what is not ours, the key that a new upload of that file would get.
 *
 * @throws {CarcosaError} UPLOAD_LOCKED if another writer has the claim, CONFIG_INVALID if both
 *   keys belong to other files
 */
export async function claimCopy(
  deps: UploadDeps,
  file: FileRecord,
  storeName: string,
): Promise<HeldClaim> {
  const first = { storeName, key: file.key }
  const place = (await isOurs(deps, file, first))
    ? first
    : { storeName, key: keyFor(deps, { ...file, storeName }) }
  const claim = { ...place, holder: randomUUID() }
  if (!(await claimPlace(deps.db, claim, claimMs))) throw locked(file, storeName)
  const holder = await findHolder(deps.db, place)
  if (holder === null || holder === file.id) return hold(deps, claim)
  await releaseClaim(deps.db, claim)
  throw new CarcosaError('CONFIG_INVALID', {
    message: `The store "${storeName}" has another file under the key ${JSON.stringify(place.key)}.`,
  })
}

/**
 * Whether what is at a place, if anything, may be replaced. A key with the id of the file in it
 * is nobody else's. Under the key of an imported file there may be an object that we know
 * nothing of; what a copy left that died is behind its claim, made when nothing was there.
 */
async function isOurs(
  deps: UploadDeps,
  file: FileRecord,
  place: Place,
): Promise<boolean> {
  const holder = await findHolder(deps.db, place)
  if (holder !== null) return holder === file.id
  if (place.key.includes(file.id) || (await isClaimed(deps.db, place))) return true
  return (await storeNamed(deps, place.storeName).stat(place.key)) === null
}

function hold(deps: UploadDeps, claim: Claim): HeldClaim {
  const lost = new AbortController()
  const holds = () => keepClaim(deps.db, claim, claimMs)
  const timer = setInterval(async () => {
    try {
      if (!(await holds())) lost.abort(new CarcosaError('UPLOAD_LOCKED'))
    } catch (error) {
      deps.log.warn({ err: error, key: claim.key }, 'could not prolong a claim')
    }
  }, claimMs / 3)
  timer.unref()
  return {
    ...claim,
    lost: lost.signal,
    holds,
    async release() {
      clearInterval(timer)
      // It runs out by itself.
      await releaseClaim(deps.db, claim).catch((error) =>
        deps.log.warn({ err: error, key: claim.key }, 'could not release a claim'),
      )
    },
  }
}

function locked({ id }: FileRecord, storeName: string): CarcosaError {
  return new CarcosaError('UPLOAD_LOCKED', {
    message: `The file ${id} is being copied to "${storeName}" by another process, or by one that died a moment ago.`,
    headers: { 'Retry-After': '15' },
  })
}
