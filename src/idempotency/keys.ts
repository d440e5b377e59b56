import { createHash } from 'node:crypto'
import type { Database } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import type { Logger } from '../shared/logger.ts'
import {
  type KeyClaim,
  keepAnswer,
  readKey,
  releaseKey,
  renewKey,
  takeKey,
} from './rows.ts'
import { type Seal, seal, unseal } from './seal.ts'

/** A request that came with a key. */
export interface KeyedRequest {
  readonly projectId: string
  readonly principalId: string
  /** As the client chose it. */
  readonly key: string
  /** All that makes it this request and no other. */
  readonly content: string
}

/** What was answered, now or the first time. */
export interface Outcome {
  readonly answer: string
  readonly isReplayed: boolean
}

/** Requests that are done once, however often they are sent. */
export interface IdempotencyKeys {
  /**
   * Does `work`, or tells what it answered when the same request was done before. What throws has
   * done nothing, and may be sent again with the same key.
   *
   * @throws {CarcosaError} IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS, and what `work` throws
   */
  once(request: KeyedRequest, work: () => Promise<string>): Promise<Outcome>
}

export interface IdempotencyParts {
  readonly db: Pick<Database, 'query'>
  readonly secrets: readonly string[]
  readonly log: Logger
  /** How long a process that is not heard of keeps a key, in ms. Default a minute. */
  readonly holdMs?: number
}

export function createIdempotencyKeys(parts: IdempotencyParts): IdempotencyKeys {
  const { db, secrets, log, holdMs = 60_000 } = parts

  return {
    async once(request, work) {
      const claim = claimOf(request, holdMs)
      const sealing = { secrets, key: request.key }
      const before = await take(parts.db, claim)
      if (before) return { answer: opened(sealing, before), isReplayed: true }
      const renewal = setInterval(() => {
        renewKey(db, claim).catch((err) => log.warn({ err }, 'an idempotency key lapses'))
      }, holdMs / 3)
      try {
        const answer = await work().catch(async (error) => {
          await releaseKey(db, claim).catch(() => {})
          throw error
        })
        // It is done, whatever becomes of the key.
        await keepAnswer(db, claim, seal(sealing, answer)).catch((err) =>
          log.warn({ err }, 'the answer for an idempotency key is lost'),
        )
        return { answer, isReplayed: false }
      } finally {
        clearInterval(renewal)
      }
    },
  }
}

/** Null if the key is now ours; else what was answered. */
async function take(
  db: Pick<Database, 'query'>,
  claim: KeyClaim,
): Promise<Uint8Array | null> {
  // Between the two statements the other one may give it back.
  for (let tries = 0; tries < 3; tries++) {
    if (await takeKey(db, claim)) return null
    const row = await readKey(db, claim.id)
    if (!row) continue
    if (row.fingerprint !== claim.fingerprint) throw reused()
    if (row.answer) return row.answer
    break
  }
  throw new CarcosaError('IDEMPOTENCY_IN_PROGRESS', {
    message: 'The same request is being done at the moment. Ask again for its answer.',
    headers: { 'Retry-After': '1' },
  })
}

function opened(sealing: Seal, bytes: Uint8Array): string {
  const answer = unseal(sealing, bytes)
  if (answer !== null) return answer
  throw new CarcosaError('IDEMPOTENCY_KEY_REUSED', {
    message:
      'The request was done, but the secret of the server was changed since, and its answer cannot be read any more.',
  })
}

function claimOf(
  { projectId, principalId, key, content }: KeyedRequest,
  holdMs: number,
): KeyClaim {
  return {
    id: hash(JSON.stringify([projectId, principalId, key])),
    fingerprint: hash(content),
    holder: newId(),
    holdMs,
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function reused(): CarcosaError {
  return new CarcosaError('IDEMPOTENCY_KEY_REUSED', {
    message:
      'This Idempotency-Key came with another request before. Each request has its own; only repetitions share one.',
  })
}
