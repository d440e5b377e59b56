import { once } from 'node:events'
import {
  type ClientRequest,
  createServer,
  request as forward,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { finished, pipeline } from 'node:stream/promises'
import { listen } from './server.ts'

/** How a request fares on its way to S3, instead of well. */
export type FrontFault =
  /** The service takes the body and answers with this. */
  | { status: number; code?: string }
  /** The service keeps the part, and nobody is shown its ETag. */
  | { hideETag: true }
  /** The connection breaks before an answer. */
  | { cut: true }
  /** The body is read to its end and never answered. */
  | { stall: true }

/** A part on its way to S3. */
export interface FrontRequest {
  readonly partNumber: number
  /** 0 where there was no answer. */
  status: number
}

/** Where clients meet S3, as `publicEndpoint`, so that what they do there is seen. */
export interface S3Front {
  readonly endpoint: string
  /** All that clients sent, in the order in which it came. */
  readonly seen: FrontRequest[]
  /** Most requests that were under way at a time. */
  readonly most: number
  /** Asked for every request; `nth` counts those of its part from 0. */
  fault: (request: FrontRequest, nth: number) => FrontFault | undefined
  reset(): void
  close(): Promise<void>
}

export async function startS3Front(endpoint: string): Promise<S3Front> {
  let running = 0
  let most = 0
  const http = createServer((request, response) => {
    running++
    most = Math.max(most, running)
    response.on('close', () => running--)
    // Who went away is not told what went wrong.
    take(request, response).catch(() => response.destroy())
  })
  const front = {
    endpoint: `http://127.0.0.1:${await listen(http)}`,
    seen: [] as FrontRequest[],
    get most() {
      return most
    },
    fault: (() => undefined) as S3Front['fault'],
    reset() {
      most = 0
      front.seen.length = 0
      front.fault = () => undefined
    },
    async close() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }

  async function take(request: IncomingMessage, response: ServerResponse) {
    const { headers, method } = request
    const url = new URL(request.url ?? '', endpoint)
    const partNumber = Number(url.searchParams.get('partNumber'))
    const seen: FrontRequest = { partNumber, status: 0 }
    const nth = front.seen.filter((other) => other.partNumber === partNumber).length
    front.seen.push(seen)
    response.on('finish', () => {
      seen.status = response.statusCode
    })
    const fault = front.fault(seen, nth)
    if (fault && !('hideETag' in fault)) return fail(fault, request, response)
    const relayed = forward(url, { method, headers })
    // A refusal comes before the end of the body, which then goes nowhere.
    pipeline(request, relayed).catch(() => relayed.destroy())
    const answer = await answerTo(relayed)
    if (fault) delete answer.headers.etag
    response.writeHead(answer.statusCode ?? 0, answer.headers)
    await pipeline(answer, response)
  }

  return front
}

async function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  const [answer] = await once(request, 'response')
  return answer
}

async function fail(
  fault: { status: number; code?: string } | { cut: true } | { stall: true },
  request: IncomingMessage,
  response: ServerResponse,
) {
  if ('cut' in fault) {
    request.destroy()
    return
  }
  request.resume()
  await finished(request)
  if ('stall' in fault) return
  const { status, code = 'InternalError' } = fault
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<Error><Code>${code}</Code></Error>`)
}
