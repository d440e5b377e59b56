import type { Readable } from 'node:stream'
import { CarcosaError } from '../../src/shared/errors.ts'
import { occupied } from '../writing/occupied.ts'

/**
 * What the SDK throws as an error of ours: no client ever sees its text, which names buckets,
 * keys and hosts (row S17). The original is kept as `cause`, for the log.
 */
export function toStoreError(cause: unknown): CarcosaError {
  if (cause instanceof CarcosaError) return cause
  const name = nameOf(cause)
  if (statusOf(cause) === 412) return occupied(cause)
  if (lost.has(name)) {
    return new CarcosaError('STORAGE_CORRUPT', {
      message: 'The store no longer has the parts of this upload.',
      cause,
    })
  }
  if (full.has(name)) {
    return new CarcosaError('STORAGE_FULL', {
      message: 'The store is full. What was acknowledged is kept; resume later.',
      headers: { 'Retry-After': '30' },
      cause,
    })
  }
  const general = statusOf(cause) === 403 ? refused : unknown
  const [message, retryAfter] = reasons.get(name) ?? general
  return new CarcosaError('STORAGE_UNAVAILABLE', {
    message,
    headers: { 'Retry-After': String(retryAfter) },
    cause,
  })
}

/** The S3 error code, e.g. `NoSuchKey`; empty where there is none. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  // HEAD has no body and so no code: the SDK makes a name of its own.
  const isNameless = ['Error', 'UnknownError', 'Unknown', '404'].includes(error.name)
  return isNameless && statusOf(error) === 404 ? 'NotFound' : error.name
}

/** An error like the SDK's, of an answer that says no. */
export function s3Error(
  status: number,
  text: string,
  { date }: Readonly<Record<string, string>>,
): Error {
  const name = /<Code>([^<]+)<\/Code>/.exec(text)?.[1] ?? 'UnknownError'
  const message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? `status ${status}`
  const $metadata = { httpStatusCode: status }
  return Object.assign(new Error(message), { name, $metadata, date })
}

/** The beginning of the body of an error. */
export async function readError(body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length > 64 * 1024) break
  }
  return Buffer.concat(chunks).toString()
}

export function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes(nameOf(error))
}

/** Whether the same request may succeed a moment later. */
export function isPassing(error: unknown): boolean {
  const status = statusOf(error)
  if (error instanceof Error && error.name === 'RequestTimeout') return true
  // Without a status the connection failed.
  return status === undefined || status >= 500 || status === 408 || status === 429
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const metadata = error.$metadata as { httpStatusCode?: number } | undefined
  return metadata?.httpStatusCode
}

const lost = new Set(['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder'])

const full = new Set([
  'QuotaExceeded',
  'InsufficientStorage',
  'XMinioStorageFull',
  'EntityTooLarge',
])

const refused: [string, number] = [
  'The store refuses the credentials of this server. What was acknowledged is kept; an operator must look at them.',
  30,
]

const unknown: [string, number] = [
  'The store could not be read or written. What was acknowledged is kept; retry.',
  5,
]

const reasons = new Map<string, [message: string, retryAfter: number]>([
  ...[
    'AccessDenied',
    'CredentialsProviderError',
    'ExpiredToken',
    'InvalidAccessKeyId',
    'InvalidToken',
    'SignatureDoesNotMatch',
    'TokenRefreshRequired',
  ].map((name): [string, [string, number]] => [name, refused]),
  [
    'NoSuchBucket',
    [
      'The bucket of the store does not exist. What was acknowledged is kept; an operator must look at it.',
      30,
    ],
  ],
  [
    'RequestTimeTooSkewed',
    [
      'The clock of this server differs from that of the store by more than it allows. An operator must set it.',
      30,
    ],
  ],
  ['SlowDown', ['The store asks for fewer requests. Retry a little later.', 10]],
])
