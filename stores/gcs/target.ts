import { CarcosaError } from '../../src/shared/errors.ts'
import type { Memo } from '../store.ts'
import type { Lengths } from '../writing/lengths.ts'
import type { OutgoingPart, PartTarget } from '../writing/part-writer.ts'
import { beginSession, insert, type Place, statObject } from './objects.ts'
import { grain } from './options.ts'
import { type Session, sendPart } from './session.ts'

/** The address of the session of an unfinished object; null if there is none. */
export function sessionOf({ to }: Place, memo: Memo | null): Session | null {
  return typeof memo?.session === 'string' ? { http: to.http, uri: memo.session } : null
}

export interface TargetOptions {
  readonly place: Place
  readonly key: string
  /** Is told the length of an object that was made. */
  readonly lengths: Lengths
  /** Whether nothing of the key may be there. Default false. */
  readonly fresh?: boolean
}

/** How the service takes an object: in one request, or part after part by one session. */
export function partTarget(options: TargetOptions): PartTarget {
  const { place, key, lengths, fresh } = options
  const { partSize } = place.settings
  return {
    // A session takes bytes in order. The next part is filled meanwhile.
    concurrency: 1,
    partSize: () => partSize,
    // Few bytes at a time are gathered: a request for each would be slower than staging them.
    shortPart: (_at, { bytes, arrived }) =>
      arrived < Math.min(gathered, partSize) ? 0 : bytes - (bytes % grain),

    async whole(body, info) {
      await insert(place, key, { body, info, fresh })
      lengths.put(key, body.length)
    },

    begin: async (info) => ({ session: await beginSession(place, key, info) }),

    async send(memo, part) {
      const session = sessionOf(place, memo)
      const standing = session && (await sendPart(session, part))
      if (!standing) await requireMade(options, part)
      if (part.last) lengths.put(key, part.position + part.body.length)
      return null
    },
  }
}

const gathered = 16 * grain

/** A session that is gone may have ended well: then the object is there. */
async function requireMade(
  { place, key }: TargetOptions,
  { position, body, last }: OutgoingPart,
): Promise<void> {
  const size = position + body.length
  if (last && (await statObject(place, key))?.size === size) return
  if (position > 0) throw lostSession(position)
  throw new CarcosaError('STORAGE_UNAVAILABLE', {
    message: 'The store gave up what was just begun. Retry.',
    headers: { 'Retry-After': '1' },
  })
}

function lostSession(offset: number): CarcosaError {
  return new CarcosaError('STORAGE_CORRUPT', {
    message: 'The store no longer has the bytes of this upload.',
    details: { held: 0, offset },
  })
}
