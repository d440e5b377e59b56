import { CarcosaError, type ErrorCode } from '../shared/errors.ts'

/** What better-auth says, and what we say. What is not on the list is our fault or a bad request. */
const codes: Readonly<Record<string, ErrorCode>> = {
  INVALID_EMAIL_OR_PASSWORD: 'INVALID_CREDENTIALS',
  INVALID_PASSWORD: 'INVALID_CREDENTIALS',
  EMAIL_NOT_VERIFIED: 'EMAIL_NOT_VERIFIED',
  USER_DISABLED: 'USER_DISABLED',
  USER_ALREADY_EXISTS: 'EMAIL_TAKEN',
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: 'EMAIL_TAKEN',
  PASSWORD_TOO_SHORT: 'PASSWORD_INVALID',
  PASSWORD_TOO_LONG: 'PASSWORD_INVALID',
  INVALID_TOKEN: 'LINK_INVALID',
  TOKEN_EXPIRED: 'LINK_INVALID',
  // Whoever is not meant learns nothing of it.
  INVITATION_NOT_FOUND: 'INVITATION_NOT_FOUND',
  YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION: 'INVITATION_NOT_FOUND',
  EMAIL_VERIFICATION_REQUIRED_BEFORE_ACCEPTING_OR_REJECTING_INVITATION:
    'EMAIL_NOT_VERIFIED',
  ORGANIZATION_NOT_FOUND: 'ORGANIZATION_NOT_FOUND',
  USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION: 'ORGANIZATION_NOT_FOUND',
  ORGANIZATION_MEMBERSHIP_LIMIT_REACHED: 'FORBIDDEN',
  PASSWORD_ALREADY_SET: 'FORBIDDEN',
  CREDENTIAL_ACCOUNT_NOT_FOUND: 'INVALID_CREDENTIALS',
  UNAUTHORIZED: 'UNAUTHENTICATED',
}

/**
 * An error of better-auth as one of ours: never its words, which may tell what nobody should know.
 */
export function toRefusal(error: unknown): unknown {
  if (error instanceof CarcosaError) return error
  const { body, statusCode } = apiErrorOf(error)
  const code = codes[body.code ?? '']
  if (code) return new CarcosaError(code, { cause: error })
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof CarcosaError) return cause
  if (statusCode >= 400 && statusCode < 500) {
    return new CarcosaError('BAD_REQUEST', { cause: error })
  }
  return error
}

/** Its code; null if it is none of better-auth's. */
export function codeOf(error: unknown): string | null {
  return apiErrorOf(error).body.code ?? null
}

function apiErrorOf(error: unknown): { body: { code?: string }; statusCode: number } {
  const { body, statusCode } = (error ?? {}) as { body?: unknown; statusCode?: unknown }
  const isBody = typeof body === 'object' && body !== null
  return {
    // Only looked at, never trusted to be of a kind.
    body: isBody ? (body as { code?: string }) : {},
    statusCode: typeof statusCode === 'number' ? statusCode : 500,
  }
}
