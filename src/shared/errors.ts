/**
 * Every way Carcosa says no: one table of stable codes, one class, one conversion to the
 * wire (RFC 9457 problem details). Programmer mistakes stay plain TypeError.
 */

/** Stable code → HTTP status and the short title sent with it. */
const table = {
  // What may be uploaded
  FILE_TOO_LARGE: [413, 'The file is larger than this route allows'],
  FILE_TOO_SMALL: [400, 'The file is smaller than this route allows'],
  TOO_MANY_FILES: [400, 'More files than this route allows'],
  TOO_FEW_FILES: [400, 'Fewer files than this route asks for'],
  TYPE_NOT_ALLOWED: [415, 'This route does not accept this type of file'],
  INPUT_INVALID: [400, 'The input does not fit the schema of the route'],
  ROUTE_NOT_FOUND: [404, 'There is no such route'],
  UPLOAD_REJECTED: [403, 'The upload was rejected'],
  MIDDLEWARE_FAILED: [500, 'The middleware of the route failed'],
  CALLBACK_FAILED: [500, 'The completion callback of the route failed'],

  // tus 1.0.0
  TUS_VERSION_UNSUPPORTED: [412, 'The tus protocol version is missing or unsupported'],
  METHOD_NOT_ALLOWED: [405, 'This method is not allowed here'],
  HEADER_INVALID: [400, 'A request header is malformed'],
  METADATA_INVALID: [400, 'The Upload-Metadata header is malformed'],
  CONTENT_TYPE_UNSUPPORTED: [415, 'The Content-Type is not supported here'],
  LENGTH_INVALID: [400, 'Upload-Length or Upload-Defer-Length is missing or wrong'],
  LENGTH_EXCEEDED: [413, 'The body is longer than the upload'],
  OFFSET_MISMATCH: [409, 'The Upload-Offset is not where the upload stands'],
  UPLOAD_NOT_FOUND: [404, 'There is no such upload'],
  UPLOAD_GONE: [410, 'The upload is gone'],
  UPLOAD_INCOMPLETE: [400, 'Not every part of the upload is there'],
  UPLOAD_LOCKED: [423, 'The upload is in use by another request'],
  // Not 501: tus clients repeat every 5xx, and would hide this for a while.
  EXTENSION_UNSUPPORTED: [400, 'This tus extension is not supported'],

  // Who may
  UNAUTHENTICATED: [401, 'This needs a credential'],
  AUTH_UNAVAILABLE: [503, 'Who is asking cannot be found out at the moment'],
  FORBIDDEN: [403, 'This is not allowed'],
  KEY_NOT_FOUND: [404, 'There is no such API key'],
  PROJECT_NOT_FOUND: [404, 'There is no such project'],
  ORGANIZATION_NOT_EMPTY: [409, 'The organization has projects'],
  SLUG_TAKEN: [409, 'Another organization has this slug'],
  MEMBER_NOT_FOUND: [404, 'There is no such member of the organization'],
  LAST_OWNER: [409, 'An organization needs an owner'],
  TEAM_NOT_FOUND: [404, 'There is no such team'],
  ALREADY_MEMBER: [409, 'They are a member of the organization already'],
  PROJECT_DELETED: [410, 'The project was deleted'],
  PROJECT_PROTECTED: [409, 'The default project cannot be deleted'],
  ROUTE_DISABLED: [403, 'The project takes no uploads on this route'],
  SIGNATURE_INVALID: [403, 'The signature does not fit this request or has expired'],
  TICKET_INVALID: [403, 'The upload ticket does not fit this request or has expired'],

  // Once
  IDEMPOTENCY_KEY_REUSED: [422, 'The Idempotency-Key was used for another request'],
  IDEMPOTENCY_IN_PROGRESS: [409, 'A request with this Idempotency-Key is being done'],

  // How much. 413, since tus clients give up on it and repeat 5xx and 429.
  QUOTA_EXCEEDED: [413, 'The quota leaves no room for it'],

  // Accounts
  INVALID_CREDENTIALS: [401, 'E-mail address and password do not fit'],
  EMAIL_NOT_VERIFIED: [403, 'The e-mail address has not been confirmed yet'],
  USER_DISABLED: [403, 'This account was disabled'],
  USER_NOT_FOUND: [404, 'There is no such user'],
  SESSION_NOT_FOUND: [404, 'There is no such session'],
  EMAIL_TAKEN: [409, 'There is an account with this e-mail address'],
  PASSWORD_INVALID: [400, 'The password is too short or too long'],
  SIGN_UP_CLOSED: [403, 'Nobody can sign up here'],
  INVITATION_NEEDED: [403, 'Signing up takes an invitation'],
  INVITATION_NOT_FOUND: [404, 'There is no such invitation'],
  ORGANIZATION_NOT_FOUND: [404, 'There is no such organization'],
  LINK_INVALID: [400, 'The link was used already, is too old, or is not complete'],
  CROSS_SITE: [403, 'The request came from a page of another site'],

  // How often
  RATE_LIMITED: [429, 'This was asked too often'],

  // Files
  FILE_NOT_FOUND: [404, 'There is no such file'],
  CUSTOM_ID_TAKEN: [409, 'Another file of the project has this custom id'],
  RESTORE_TOO_LATE: [410, 'The file cannot be restored any more'],
  SOURCE_INVALID: [400, 'This is no URL to fetch a file from'],
  SOURCE_UNAVAILABLE: [502, 'The URL could not be fetched'],
  PRECONDITION_FAILED: [412, 'It is not in the state the request asks for'],
  RANGE_NOT_SATISFIABLE: [416, 'The range lies outside the file'],
  CURSOR_INVALID: [400, 'The cursor was not issued by this server'],

  // Watching
  TOPIC_NOT_FOUND: [404, 'There is no such topic'],
  TOO_MANY_SUBSCRIPTIONS: [429, 'This client watches as much as it may'],
  SUBSCRIBERS_FULL: [503, 'This server has all the subscribers it takes'],
  SUBSCRIBER_TOO_SLOW: [503, 'More events wait than are kept for a subscriber'],
  MESSAGE_INVALID: [400, 'A message of the client is malformed'],
  UPGRADE_REQUIRED: [426, 'This URL speaks WebSocket'],

  // From elsewhere
  NETWORK: [503, 'The server cannot be reached'],
  RESPONSE_INVALID: [502, 'The answer is not one of a Carcosa server'],

  // Storage and database
  STORAGE_FULL: [507, 'The store has no room left'],
  STORAGE_UNAVAILABLE: [503, 'The store cannot be reached or written'],
  // 503, since clients repeat it: the next creation has another key.
  OBJECT_EXISTS: [503, 'The store holds another object under this key'],
  STORAGE_CORRUPT: [500, 'The store does not hold what was acknowledged'],
  STORE_UNKNOWN: [500, 'The route names a store that is not configured'],
  DATABASE_UNAVAILABLE: [503, 'The database cannot be reached'],
  DATABASE_LOCKED: [503, 'The embedded database is in use by another process'],
  MIGRATION_UNKNOWN: [500, 'The database was migrated by a newer version'],
  MIGRATION_CHANGED: [500, 'An applied migration was changed afterwards'],
  MIGRATION_FAILED: [500, 'A migration could not be applied'],

  // Jobs
  QUEUE_UNKNOWN: [400, 'There is no queue of this name'],

  // Setting up and being reached
  CONFIG_INVALID: [500, 'The configuration is invalid'],
  LISTEN_FAILED: [500, 'The server cannot listen on its address'],
  BODY_ALREADY_READ: [500, 'Something read the request body before Carcosa'],
  MOUNT_MISMATCH: [404, 'Carcosa is mounted under another path'],
  HEADERS_TOO_LARGE: [431, 'The headers of the request are too large or too many'],
  URL_TOO_LONG: [414, 'The URL of the request is too long'],
  REQUEST_TIMEOUT: [408, 'The request took too long to arrive'],
  TOO_MANY_CONNECTIONS: [503, 'This client has too many connections open'],
  BAD_REQUEST: [400, 'The request is malformed'],
  NOT_FOUND: [404, 'There is nothing here'],
  SHUTTING_DOWN: [503, 'The server is shutting down'],
  INTERNAL: [500, 'Something went wrong'],
} as const satisfies Record<string, readonly [status: number, title: string]>

/** A stable code; new codes are added, existing ones never change meaning. */
export type ErrorCode = keyof typeof table

export interface ErrorOptions {
  /** What was given, what was allowed, what to do. Sent to clients: never a secret. */
  message?: string
  /** Numbers and names a program can use, e.g. `{ size, maxFileSize }`. Sent to clients. */
  details?: Record<string, unknown>
  /** Response headers this error asks for, e.g. `Retry-After`. */
  headers?: Record<string, string>
  cause?: unknown
}

/** The body of an error response, RFC 9457 with our `code` and `details` added. */
export interface Problem {
  type: string
  title: string
  status: number
  code: ErrorCode
  detail: string
  details?: Record<string, unknown>
  requestId?: string
}

/**
 * The one error Carcosa throws for things that go wrong while running.
 *
 * @example
 * throw new CarcosaError('FILE_TOO_LARGE', {
 *   message: 'The file has 5 MB; the route "avatar" allows at most 4 MB.',
 *   details: { size: 5_000_000, maxFileSize: 4_000_000 },
 * })
 */
export class CarcosaError extends Error {
  override readonly name = 'CarcosaError'
  readonly code: ErrorCode
  /** The HTTP status this code is answered with. */
  readonly status: number
  readonly details: Record<string, unknown> | undefined
  readonly headers: Record<string, string>

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(options.message ?? `${table[code][1]}.`, { cause: options.cause })
    this.code = code
    this.status = table[code][0]
    this.details = options.details
    this.headers = options.headers ?? {}
  }

  /** The RFC 9457 body for this error. */
  toProblem(requestId?: string): Problem {
    return {
      type: `urn:carcosa:error:${this.code}`,
      title: table[this.code][1],
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.details && { details: this.details }),
      ...(requestId && { requestId }),
    }
  }
}

/** Whether it is an error of Carcosa with this code. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof CarcosaError && error.code === code
}

/** All codes, for documentation and tests. */
export const errorCodes = Object.freeze(Object.keys(table)) as readonly ErrorCode[]

/**
 * `error` itself if it is a CarcosaError; anything else is a bug and becomes INTERNAL with
 * the original as `cause`, so that no foreign message ever reaches a client.
 */
export function toCarcosaError(error: unknown): CarcosaError {
  if (error instanceof CarcosaError) return error
  return new CarcosaError('INTERNAL', { cause: error })
}
