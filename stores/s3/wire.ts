import type { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'
import { repeated } from '../writing/retry.ts'
import type { Sdk } from './client.ts'
import { isPassing, nameOf, readError, s3Error } from './errors.ts'
import type { S3Settings } from './options.ts'

/**
 * The requests that every file makes (put, part, read): signed and sent by the SDK, but not
 * built by it, which would cost four times as much CPU as all the rest of them.
 */
export interface Wire {
  /**
   * Repeats what may pass, with the body read anew.
   * @throws errors like the SDK's: `name` is the code of S3, `$metadata.httpStatusCode` the status
   */
  send(asked: Asked): Promise<Answered>
}

export interface Asked {
  readonly method: 'GET' | 'PUT'
  readonly key: string
  readonly query?: Record<string, string>
  /**
   * Without those that are undefined. `if-none-match` goes with the first try alone: another
   * would be refused for what a first one stored whose answer was lost.
   */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body?: () => Buffer | Readable
}

export interface Answered {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readable
}

export function createWire(settings: S3Settings, sdk: Sdk, client: S3Client): Wire {
  const { config } = client
  const failures = config.maxAttempts()
  let address: Promise<Address> | undefined
  let signer: ReturnType<typeof config.signer> | undefined
  /** How far the service's clock is ahead, in ms, once it has said so. */
  let ahead = 0

  const sign = async ({ method, key, query, headers }: Asked, body: Body | undefined) => {
    address ??= addressOf(settings, sdk, client)
    signer ??= config.signer()
    const { path, host, ...to } = await address
    const request = {
      ...to,
      method,
      path: path + encodeKey(settings.prefix + key),
      query: query ?? {},
      headers: { ...present(headers), host },
      body,
    }
    const signingDate = new Date(Date.now() + config.systemClockOffset + ahead)
    return (await signer).sign(request, { signingDate })
  }

  const attempt = async (asked: Asked): Promise<Answered> => {
    const body = asked.body?.()
    const end = new AbortController()
    try {
      const signed = await sign(asked, body)
      const sending = config.requestHandler.handle(
        // The signer answers with what it was given: a request of this handler's kind.
        signed as Parameters<typeof config.requestHandler.handle>[0],
        { abortSignal: end.signal },
      )
      const { response } = await Promise.race([sending, broken(body)])
      const { statusCode, headers, body: answer } = response
      if (statusCode < 300) return { headers, body: answer }
      throw s3Error(statusCode, await readError(answer), headers)
    } catch (error) {
      // A refusal may come before all is sent, and the bytes are somebody else's room soon.
      end.abort()
      if (body && !Buffer.isBuffer(body)) body.destroy()
      throw error
    }
  }

  return {
    async send(asked) {
      const policy = { isPassing, failures: await failures }
      const again = {
        ...asked,
        headers: { ...asked.headers, 'if-none-match': undefined },
      }
      return repeated(policy, (isRepeated) => attempt(isRepeated ? again : asked)).catch(
        (error: unknown) => {
          const there = clockOf(error)
          if (there === null) throw error
          ahead = there - Date.now() - config.systemClockOffset
          return attempt(asked)
        },
      )
    },
  }
}

type Body = Buffer | Readable

interface Address {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
  readonly host: string
  /** Of the bucket, with a slash at its end. */
  readonly path: string
}

/** Where the SDK would send requests about the bucket, by all its rules for endpoints. */
async function addressOf(
  { bucket: Bucket }: S3Settings,
  sdk: Sdk,
  client: S3Client,
): Promise<Address> {
  const command = new sdk.HeadBucketCommand({ Bucket })
  const { promise, resolve } = Promise.withResolvers<Address>()
  command.middlewareStack.add(
    () => async (args) => {
      const { protocol, hostname, port, path } = args.request as Address
      const host = port ? `${hostname}:${port}` : hostname
      const directory = path.endsWith('/') ? path : `${path}/`
      resolve({ protocol, hostname, port, host, path: directory })
      // Nothing is sent.
      return { output: { $metadata: {} }, response: undefined }
    },
    { step: 'finalizeRequest', priority: 'high', name: 'carcosaAddress' },
  )
  await client.send(command)
  return promise
}

/** As S3 encodes a key when it checks a signature: all but `A-Z a-z 0-9 - . _ ~ /`. */
function encodeKey(key: string): string {
  const strict = (text: string) =>
    text.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  return key
    .split('/')
    .map((part) => strict(encodeURIComponent(part)))
    .join('/')
}

function present(headers: Asked['headers']): Record<string, string> {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) given[name] = value
  }
  return given
}

/** Fails as a stream does, of which the SDK takes no notice. */
function broken(body: Body | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  if (body && !Buffer.isBuffer(body)) body.on('error', reject)
  return promise
}

/** The time of a service that finds ours too far off; null for any other error. */
function clockOf(error: unknown): number | null {
  if (nameOf(error) !== 'RequestTimeTooSkewed') return null
  const { date } = error as { date?: string }
  const time = Date.parse(date ?? '')
  return Number.isNaN(time) ? null : time
}
