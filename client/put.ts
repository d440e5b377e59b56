import { CarcosaClientError } from './errors.ts'
import { requestName, unanswered } from './guard.ts'
import type { DirectPart } from './offer.ts'
import { isPassing, parseRetryAfter } from './problem.ts'
import { openSource, type Uploadable } from './source.ts'
import { httpStack } from './tus.ts'

/** One try to bring a part of a file to the store. */
export interface Put {
  readonly file: Uploadable
  readonly part: DirectPart
  /** Its first byte in the file. */
  readonly start: number
  readonly stallTimeout: number
  readonly signal: AbortSignal
  /** Bytes of the part that left this side, and may yet be lost. */
  onSent(bytes: number): void
}

/**
 * Sends the part; resolves with its receipt, or null if the store does not show it.
 * @throws {CarcosaClientError} HTTP_ERROR if the store refuses, or why nobody answered
 */
export async function put(options: Put): Promise<string | null> {
  const { part, start, onSent } = options
  const request = httpStack(options).createRequest('PUT', part.url)
  for (const [name, value] of Object.entries(part.headers)) request.setHeader(name, value)
  request.setProgressHandler(onSent)
  const { value: body } = await openSource(options.file).slice(start, start + part.size)
  const answer = await request.send(body).catch((cause) => {
    options.signal.throwIfAborted()
    throw unanswered(request, cause)
  })
  const status = answer.getStatus()
  if (status < 300) return answer.getHeader('ETag') ?? null
  const code = /<Code>(\w+)<\/Code>/.exec(answer.getBody() ?? '')?.[1]
  throw new CarcosaClientError('HTTP_ERROR', {
    message: `The store answered ${status}${code ? ` (${code})` : ''} to ${requestName(request)}.`,
    status,
    // S3 says 400 of a request whose bytes came too slowly.
    retryable: isPassing(status, 'HTTP_ERROR') || code === 'RequestTimeout',
    retryAfter: parseRetryAfter(answer.getHeader('Retry-After')),
  })
}
