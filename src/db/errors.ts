import { CarcosaError } from '../shared/errors.ts'

/** SQLSTATEs and socket errors that mean "not now": the same statement may work later. */
const transient = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '25006', // read_only_sql_transaction: a failover left us with a standby
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  'DATABASE_UNAVAILABLE',
  // Prisma's names for the same conditions
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  'P2037',
])

const diskFull = '53100'

/** 08 connection exception, 53 insufficient resources (too many connections, disk full). */
const transientClass = /^(08|53)[0-9A-Z]{3}$/

/** The drivers throw these without any code. */
const transientMessage =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after|PGlite is clos)/

/**
 * `error`, or DATABASE_UNAVAILABLE in its place if it says that the database cannot answer
 * now, STORAGE_FULL if its disk is full.
 */
export function toDatabaseError(error: unknown): unknown {
  if (error instanceof CarcosaError) return error
  const known = [...causes(error)]
  // Prisma makes an error of its own of every other and keeps no more than the code.
  if (known.some(({ code }) => code === diskFull || code === 'STORAGE_FULL')) {
    return new CarcosaError('STORAGE_FULL', {
      message: 'The disk of the database has no room left. Try again when there is.',
      headers: { 'Retry-After': '10' },
      cause: error,
    })
  }
  if (!isTransient(error)) return error
  return new CarcosaError('DATABASE_UNAVAILABLE', {
    message: 'The database cannot be reached at the moment. Try again.',
    headers: { 'Retry-After': '1' },
    cause: error,
  })
}

/** Whether `error` or anything it was made from says "not now". */
export function isTransient(error: unknown): boolean {
  for (const { code, message } of causes(error)) {
    if (code && (transient.has(code) || transientClass.test(code))) return true
    if (transientMessage.test(message)) return true
  }
  return false
}

/** Whether a unique constraint refused the row; `constraint` narrows it to one of them. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const { code, constraint: violated } = error as { code?: string; constraint?: string }
  return code === '23505' && (constraint === undefined || constraint === violated)
}

// Since Postgres 18 a deletion that is refused at once has a code of its own.
const foreignKey = new Set(['23503', '23001', 'P2003'])

/** Whether a row was refused because what it belongs to does not exist, or because others belong to it. */
export function isForeignKeyViolation(error: unknown): boolean {
  return [...causes(error)].some(({ code }) => foreignKey.has(code ?? ''))
}

/** 22 data exception, 23 constraint violation, 40 transaction rollback. */
const refusedClass = /^(22|23|40)[0-9A-Z]{3}$/

/** Whether Postgres refused a statement for what it says or met, so that nothing of it has happened. */
export function isRefusal(error: unknown): boolean {
  return [...causes(error)].some(({ code }) => refusedClass.test(code ?? ''))
}

/** The directory of the embedded database cannot be made or written. */
export function directoryError(directory: string, cause: unknown): CarcosaError {
  const { code } = cause as { code?: string }
  return new CarcosaError('CONFIG_INVALID', {
    message:
      `The directory ${directory} for the embedded database cannot be written (${code}). ` +
      'Make it writable for this user, or configure another one.',
    cause,
  })
}

interface Failure {
  code: string | undefined
  message: string
}

/** Follows `cause`, and the place where Prisma puts the driver's error. */
function* causes(error: unknown): Generator<Failure> {
  let next = error
  for (let depth = 0; depth < 5 && typeof next === 'object' && next !== null; depth++) {
    const fields = next as Record<string, unknown>
    const code = fields.originalCode ?? fields.code
    yield {
      code: typeof code === 'string' ? code : undefined,
      message: String(fields.originalMessage ?? fields.message ?? ''),
    }
    const meta = fields.meta as { driverAdapterError?: unknown } | undefined
    next = fields.cause ?? meta?.driverAdapterError
  }
}
