import { hkdfSync } from 'node:crypto'
import { EncryptJWT, jwtDecrypt } from 'jose'
import type { Labels, NewFile } from '../files/record.ts'
import { CarcosaError } from '../shared/errors.ts'

/** What is settled about an upload before its first byte. */
export type Agreement = Pick<
  NewFile,
  | 'filename'
  | 'declaredType'
  | 'size'
  | 'contentDisposition'
  | 'acl'
  | 'projectId'
  | 'ownerId'
  | 'storeName'
  | 'input'
  | 'metadata'
> &
  Labels

/**
 * A ticket is permission to create one upload, and later to go on with that upload, given
 * out by `prepare` after route, input and middleware agreed. It is an encrypted JWT: the
 * client carries it but cannot read what middleware put in.
 */
export interface Ticket extends Agreement {
  route: string
  batchId: string
  /** Position in the batch; a batch and position create at most one upload. */
  batchIndex: number
  /** Whom it ends with, where that is not the owner. */
  holder?: string
}

/** Whose shutting out ends a ticket; null for nobody's. */
export function holderOf({ holder, ownerId }: Ticket): string | null {
  return holder ?? ownerId
}

export interface TicketOffice {
  /** Issues a ticket that may create its upload until `expiresAt`. */
  issue(ticket: Ticket, expiresAt: Date): Promise<string>
  /**
   * Reads a ticket. With `late` its age does not matter: an upload it created lives as long
   * as the upload, not as long as the ticket.
   * @throws {CarcosaError} TICKET_INVALID for anything not issued here or too old, and what
   *   `assertHolder` throws
   */
  read(token: string, options: { late: boolean }): Promise<Ticket>
}

type AssertHolder = (
  principalId: string,
  where: Pick<Ticket, 'projectId' | 'route'>,
) => Promise<void>

/** The longest ticket that still fits beside the other headers of a request (Node: 16 KiB). */
const maxTicketLength = 8 * 1024

/**
 * The first secret encrypts; all of them decrypt, so that secrets can be rotated. `assertHolder`
 * throws if the principal that a ticket was given to was shut out since.
 */
export function createTicketOffice(
  secrets: readonly string[],
  assertHolder: AssertHolder = async () => undefined,
): TicketOffice {
  const keys = secrets.map(deriveKey)
  const [current] = keys
  if (!current) throw new TypeError('createTicketOffice: at least one secret is needed')

  return {
    async issue(ticket, expiresAt) {
      const token = await new EncryptJWT({ ticket })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', typ: 'carcosa-ticket' })
        .setExpirationTime(expiresAt)
        .encrypt(current)
      if (token.length <= maxTicketLength) return token
      throw new CarcosaError('MIDDLEWARE_FAILED', {
        message: `What the middleware of route "${ticket.route}" returned, together with the input, makes a ticket of ${token.length} characters; at most ${maxTicketLength} fit into a header. Return less: an id instead of the thing itself.`,
        details: { length: token.length, maxLength: maxTicketLength },
      })
    },

    async read(token, { late }) {
      for (const key of keys) {
        const ticket = await decrypt(token, key, late)
        if (!ticket) continue
        const holder = holderOf(ticket)
        if (holder !== null) await assertHolder(holder, ticket)
        return ticket
      }
      throw new CarcosaError('TICKET_INVALID', {
        message:
          'The Upload-Ticket was not issued here or its time is over. Ask for a new one with POST …/prepare.',
      })
    },
  }
}

async function decrypt(
  token: string,
  key: Uint8Array,
  late: boolean,
): Promise<Ticket | null> {
  try {
    const { payload } = await jwtDecrypt<{ ticket: Ticket }>(token, key, {
      typ: 'carcosa-ticket',
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
      requiredClaims: ['exp'],
      ...(late && { clockTolerance: Number.MAX_SAFE_INTEGER / 2 }),
    })
    return payload.ticket
  } catch {
    // Every reason is the same to the caller: wrong key, tampered, too old, not a token.
    return null
  }
}

function deriveKey(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', 'carcosa upload ticket', 32))
}
