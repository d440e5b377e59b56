import { CarcosaError } from '../shared/errors.ts'
import type { Incoming } from './incoming.ts'

const maxJsonBytes = 1024 * 1024

/**
 * The JSON body of a request, at most 1 MiB. A body parser in front of us is welcome here.
 *
 * @throws {CarcosaError} BAD_REQUEST, CONTENT_TYPE_UNSUPPORTED
 */
export async function readJson(incoming: Incoming): Promise<unknown> {
  if (incoming.parsedBody !== undefined && incoming.bodyAlreadyRead)
    return incoming.parsedBody
  // A JSON type makes a browser ask first: no page can send this behind a user's back (SEC-32).
  const type = incoming.headers.get('content-type') ?? ''
  if (!/^application\/([a-z.+-]+\+)?json\s*(;|$)/i.test(type)) {
    throw new CarcosaError('CONTENT_TYPE_UNSUPPORTED', {
      message: `This needs "Content-Type: application/json", not ${JSON.stringify(type)}.`,
      details: { allowed: 'application/json' },
    })
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming.openBody()) {
    size += chunk.length
    if (size > maxJsonBytes) {
      throw new CarcosaError('BAD_REQUEST', {
        message: `The JSON body is larger than ${maxJsonBytes} bytes.`,
        details: { maxBytes: maxJsonBytes },
      })
    }
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (cause) {
    throw new CarcosaError('BAD_REQUEST', { message: 'The body is not JSON.', cause })
  }
}
