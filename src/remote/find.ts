import { CarcosaError, type ErrorCode, hasCode } from '../shared/errors.ts'
import type { Answer, Ask, Transport } from './transport.ts'

/** The answer, or null if it is refused with `missing`: there is nothing, or not for who asks. */
export async function find(
  { ask }: Pick<Transport, 'ask'>,
  wanted: Ask,
  missing: ErrorCode,
): Promise<Answer | null> {
  return ask(wanted).catch((error: unknown) => {
    if (hasCode(error, missing)) return null
    throw error
  })
}

/** Deletes; false if there was nothing. */
export async function remove(
  transport: Pick<Transport, 'ask'>,
  path: string,
  missing: ErrorCode,
): Promise<boolean> {
  return (await find(transport, { method: 'DELETE', path }, missing)) !== null
}

interface Conditional {
  readonly path: string
  readonly body: unknown
  /** Whether what there is, is what is to be changed. Default anything is. */
  readonly isExpected?: ((now: Record<string, unknown>) => boolean) | undefined
}

/**
 * Changes something, if it is as expected: what was looked at is what is changed, by its ETag.
 * @throws {CarcosaError} PRECONDITION_FAILED, and what the server refuses with
 */
export async function change(
  { ask }: Pick<Transport, 'ask'>,
  { path, body, isExpected }: Conditional,
): Promise<Answer> {
  if (!isExpected) return ask({ method: 'PATCH', path, body })
  const now = await ask({ method: 'GET', path })
  if (!isExpected(now.json)) {
    throw new CarcosaError('PRECONDITION_FAILED', {
      message: 'It was changed meanwhile. Read it again.',
    })
  }
  const headers = { 'If-Match': now.etag ?? '*' }
  return ask({ method: 'PATCH', path, body, headers })
}

/** Of `condition.ifUpdatedAt`. */
export function unchangedSince(time: Date | undefined): Conditional['isExpected'] {
  return time && ((now) => now.updatedAt === time.toISOString())
}
