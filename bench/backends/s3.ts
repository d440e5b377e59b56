/**
 * An S3 that costs next to nothing, as a server process: `node s3.ts '<JSON of BackendOptions>'`.
 * It keeps size and checksum of what it is sent, not the bytes, and counts every request.
 * Signatures are not looked at, and no entity tag is an MD5.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerTo } from './s3-answers.ts'
import { receiveBody } from './s3-body.ts'
import { readCall } from './s3-call.ts'
import { createObjects } from './s3-objects.ts'
import { type Answer, failure } from './s3-xml.ts'

/** What the backend is started with. */
export interface BackendOptions {
  port: number
}

// The one argument was written by bench/support/s3-backend.ts, which types it.
const { port } = JSON.parse(process.argv[2] ?? '') as BackendOptions
const objects = createObjects()
let counts: Record<string, number> = {}
let delayMs = 0

const server = createServer((req, res) => {
  const url = new URL(req.url ?? '/', 'http://localhost')
  const answer = url.pathname.startsWith('/_bench/') ? control(url) : serve(req, url)
  // Who hung up has no use for an answer.
  Promise.resolve(answer).then(
    (answer) => send(res, answer),
    () => res.destroy(),
  )
})
// A client must never find its idle connection closed, as it would after Node's 5 s.
server.keepAliveTimeout = 600_000
server.requestTimeout = 0
server.listen(port, '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))

async function serve(req: IncomingMessage, url: URL): Promise<Answer> {
  const call = readCall(req, url)
  counts[call.operation] = (counts[call.operation] ?? 0) + 1
  const body = await receiveBody(req, call.operation !== 'UploadPart')
  if (delayMs > 0) await sleep(delayMs)
  return answerTo(objects, call, body)
}

/** What the benchmarks ask beside S3. */
function control(url: URL): Answer {
  switch (url.pathname) {
    case '/_bench/counts':
      return json(counts)
    case '/_bench/reset':
      counts = {}
      return json({})
    case '/_bench/delay':
      delayMs = Number(url.searchParams.get('ms'))
      return json({})
    case '/_bench/object':
      return json(objects.find(url.searchParams.get('name') ?? ''))
    default:
      return failure(404, 'NotFound')
  }
}

function json(value: unknown): Answer {
  return { status: 200, body: JSON.stringify(value) }
}

function send(res: ServerResponse, { status, headers, body = '' }: Answer): void {
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    res.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers })
    res.end(res.req.method === 'HEAD' ? undefined : body)
    return
  }
  res.writeHead(status, headers)
  const source = Readable.from(body, { objectMode: true, highWaterMark: 1 })
  res.once('close', () => source.destroy())
  source.pipe(res)
}
