import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { Act, Answer, Call } from './call.ts'
import { completeMultipartUpload } from './complete.ts'
import { readContent } from './content.ts'
import { S3Error } from './error.ts'
import { refuse } from './faults.ts'
import { listMultipartUploads, listObjects, listParts } from './lists.ts'
import {
  copyObject,
  deleteObject,
  deleteObjects,
  getObject,
  headBucket,
  headObject,
  putObject,
} from './objects.ts'
import {
  type Asked,
  checkAscii,
  checkSigned,
  type Operation,
  parseRequest,
  type S3Request,
} from './operation.ts'
import type { S3State } from './state.ts'
import {
  abortMultipartUpload,
  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
} from './uploads.ts'
import { xmlDocument } from './xml.ts'

const acts: Readonly<Record<Operation, Act>> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateMultipartUpload: createMultipartUpload,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  GetObject: getObject,
  HeadBucket: headBucket,
  HeadObject: headObject,
  ListMultipartUploads: listMultipartUploads,
  ListObjectsV2: listObjects,
  ListParts: listParts,
  PutObject: putObject,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  Unknown() {
    throw new S3Error('NotImplemented', 'This fake does not know what was asked.')
  },
}

/** Takes one request from its first byte to its answer, as the faults have it. */
export async function serve(
  { state, requests }: { state: S3State; requests: S3Request[] },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = parseRequest(request)
  const noted = noteOf(asked)
  requests.push(noted)
  const { faults } = state
  const { operation, partNumber } = noted
  await faults.before(noted)
  const delay = faults.delayMs(operation, partNumber)
  if (delay > 0) await wait(delay)
  if (faults.resetMidBody(operation, partNumber)) {
    await takeHalf(request)
    request.socket.destroy()
    return
  }
  const answer = await answerOf(callOf({ asked, state, request, noted })).catch(failed)
  // The client went away: nobody is there for an answer.
  if (request.destroyed && !request.complete) return
  // Who still sends would not read the answer.
  if (!request.complete) request.resume()
  if (faults.resetAfter(operation)) {
    request.socket.destroy()
    return
  }
  await send(request, response, { answer, noted })
}

function noteOf({ operation, key, query, headers }: Asked): S3Request {
  const number = query.get('partNumber')
  return {
    operation,
    key,
    partNumber: number === null ? null : Number(number),
    headers,
    query: Object.fromEntries(query),
    status: 0,
    received: 0,
    sent: 0,
  }
}

function callOf(given: {
  asked: Asked
  state: S3State
  request: IncomingMessage
  noted: S3Request
}): Call {
  const { asked, state, request, noted } = given
  const { headers } = asked
  const reading = {
    headers,
    onReceived(count: number) {
      noted.received += count
    },
  }
  return {
    ...asked,
    state,
    content: (algorithm = null) =>
      readContent(request, { ...reading, algorithm, keep: !state.discardBodies }),
    async text() {
      // Its checksum is that of the object, not of this text.
      const completes = asked.operation === 'CompleteMultipartUpload'
      const own = completes ? withoutChecksums(headers) : headers
      const { chunks } = await readContent(request, {
        ...reading,
        headers: own,
        algorithm: null,
        keep: true,
      })
      return Buffer.concat(chunks).toString('utf8')
    },
  }
}

function withoutChecksums(headers: Asked['headers']): Asked['headers'] {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-checksum-')),
  )
}

async function answerOf(call: Call): Promise<Answer> {
  const { state, operation, headers } = call
  refuse(state.faults, operation, headers)
  checkSigned(call)
  checkAscii(call)
  if (call.bucket !== state.bucket) {
    throw new S3Error('NoSuchBucket', 'The specified bucket does not exist')
  }
  return acts[operation](call)
}

function failed(error: unknown): Answer {
  const { code, message, status } =
    error instanceof S3Error ? error : new S3Error('InternalError', String(error))
  if (status === 304) return { status }
  const body = xmlDocument('Error', { Code: code, Message: message, RequestId: 'fake' })
  return { status, body }
}

async function takeHalf(request: IncomingMessage): Promise<void> {
  const half = Number(request.headers['content-length'] ?? 2) / 2
  let taken = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    taken += chunk.length
    if (taken >= half) return
  }
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { answer, noted }: { answer: Answer; noted: S3Request },
): Promise<void> {
  const { status = 200, headers = {}, body = [] } = answer
  const isXml = typeof body === 'string'
  const chunks = isXml ? [Buffer.from(body)] : body
  const length = chunks.reduce((size, chunk) => size + chunk.length, 0)
  noted.status = status
  response.writeHead(status, {
    'x-amz-request-id': 'fake',
    ...(isXml && { 'Content-Type': 'application/xml' }),
    ...(status !== 204 && status !== 304 && { 'Content-Length': length }),
    ...headers,
  })
  if (request.method === 'HEAD' || length === 0) {
    response.end()
    return
  }
  // Who stops reading has what is noted until then; that is no error of the service.
  await pipeline(counted(chunks, noted), response).catch(() => {})
}

/** In pieces, so that what is counted is about what was read. */
function counted(chunks: readonly Buffer[], noted: S3Request): Readable {
  function* pieces() {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += 65_536) {
        const piece = chunk.subarray(at, at + 65_536)
        noted.sent += piece.length
        yield piece
      }
    }
  }
  return Readable.from(pieces(), { objectMode: false })
}
