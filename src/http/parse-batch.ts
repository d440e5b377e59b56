import type { FileInfo } from '../routes/hooks.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { Batch } from '../uploads/admission.ts'

const maxFiles = 1_000
const maxReceipts = 10_000

/**
 * The body of `POST …/prepare`:
 * `{ files: [{ name, size, type, lastModified? }], input?, direct? }`.
 *
 * @throws {CarcosaError} BAD_REQUEST saying which member of which file is wrong
 */
export function parseBatch(body: unknown): Batch {
  if (!isObject(body) || !Array.isArray(body.files)) {
    throw bad('The body must be { files: [{ name, size, type }], input?, direct? }.')
  }
  if (body.files.length === 0 || body.files.length > maxFiles) {
    throw bad(`A batch has 1 to ${maxFiles} files, not ${body.files.length}.`)
  }
  const { direct = false, input } = body
  if (typeof direct !== 'boolean') throw bad('direct must be true or false.')
  return { files: body.files.map(parseFile), input, direct }
}

/** The body of `POST …/finish`: `{ receipts: ['"etag"', …] }`. @throws {CarcosaError} BAD_REQUEST */
export function parseReceipts(body: unknown): string[] {
  const receipts = isObject(body) ? body.receipts : null
  const isList =
    Array.isArray(receipts) &&
    receipts.length <= maxReceipts &&
    receipts.every((receipt) => typeof receipt === 'string' && receipt.length <= 256)
  if (isList) return receipts
  throw bad(
    `The body must be { receipts }: the ETag of each part, in order, at most ${maxReceipts}.`,
  )
}

function parseFile(file: unknown, i: number): FileInfo {
  if (!isObject(file)) throw bad(`files[${i}] must be { name, size, type }.`)
  const { name, size = null, type = '', lastModified } = file
  if (typeof name !== 'string' || name.length > 4096) {
    throw bad(`files[${i}].name must be text of at most 4096 characters.`)
  }
  if (size !== null && !(Number.isSafeInteger(size) && Number(size) >= 0)) {
    throw bad(
      `files[${i}].size must be a whole number of bytes, or null if it is not known yet.`,
    )
  }
  if (typeof type !== 'string' || type.length > 255) {
    throw bad(`files[${i}].type must be a media type, or empty.`)
  }
  return {
    name,
    size: size === null ? null : Number(size),
    type,
    ...(Number.isSafeInteger(lastModified) && { lastModified: Number(lastModified) }),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function bad(message: string): CarcosaError {
  return new CarcosaError('BAD_REQUEST', { message })
}
