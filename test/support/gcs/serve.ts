import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Act, Answer, Call } from './call.ts'
import {
  compose,
  deleteObject,
  download,
  getObject,
  insert,
  listObjects,
  patchObject,
  rewrite,
  signedDownload,
} from './objects.ts'
import { type GcsRequest, type Operation, parseRequest } from './operation.ts'
import {
  beginSession,
  cancelSession,
  keepHalf,
  putChunk,
  querySession,
} from './sessions.ts'
import { GcsError, type GcsState } from './state.ts'

const acts: Readonly<Record<Operation, Act>> = {
  BeginSession: beginSession,
  CancelSession: cancelSession,
  Compose: compose,
  Delete: deleteObject,
  Download: download,
  Get: getObject,
  Insert: insert,
  List: listObjects,
  Patch: patchObject,
  PutChunk: putChunk,
  QuerySession: querySession,
  Rewrite: rewrite,
  SignedDownload: signedDownload,
  Unknown() {
    throw new GcsError(501, 'notImplemented', 'This fake does not know what was asked.')
  },
}

/** Takes one request from its first byte to its answer, as the faults have it. */
export async function serve(
  { state, requests }: { state: GcsState; requests: GcsRequest[] },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = parseRequest(request)
  const { operation, name, headers } = asked
  const query = Object.fromEntries(asked.query)
  const noted: GcsRequest = { operation, name, headers, query, status: 0, cut: false }
  requests.push(noted)
  const attempt = requests.filter((other) => other.operation === operation).length
  const { faults } = state
  await faults.before(noted)
  const reset = faults.reset(operation, attempt)
  const origin = `http://${headers.host}`
  const body = await read(request, reset === 'half')
  const call: Call = { ...asked, state, attempt, origin, body }
  // Half of a body is all the service ever sees of it; so is what came before it broke off.
  if (reset === 'half' || !request.complete) {
    if (operation === 'PutChunk') keepHalf(call)
    request.socket.destroy()
    return
  }
  const answer = answerOf(call)
  if (reset === 'done') {
    request.socket.destroy()
    return
  }
  const { status = 200 } = answer
  response.on('close', () => {
    noted.cut = !response.writableFinished
  })
  noted.status = status < 400 ? (faults.failDone(operation, attempt) ?? status) : status
  send(response, { ...answer, status: noted.status })
}

async function read(request: IncomingMessage, half: boolean): Promise<Buffer> {
  const chunks: Buffer[] = []
  const most = half ? Number(request.headers['content-length'] ?? 2) / 2 : Infinity
  let taken = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk)
      taken += chunk.length
      if (taken >= most) break
    }
  } catch {
    // The client went away.
  }
  return Buffer.concat(chunks)
}

function answerOf(call: Call): Answer {
  const { state, operation, attempt, bucket } = call
  const { faults } = state
  try {
    const status = faults.fail(operation, attempt)
    if (status !== null)
      throw new GcsError(status, faults.reason, 'secret of the service')
    if (bucket !== state.bucket || faults.bucketMissing) {
      throw new GcsError(404, 'notFound', 'The specified bucket does not exist.')
    }
    return acts[operation](call)
  } catch (error) {
    const { status, reason, message } =
      error instanceof GcsError ? error : new GcsError(500, 'internal', String(error))
    const errors = [{ domain: 'global', reason, message }]
    return { status, body: { error: { code: status, message, errors } } }
  }
}

function send(response: ServerResponse, { status = 200, headers, body }: Answer): void {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body ?? {}))
  const isEmpty = status === 204
  response.writeHead(status, {
    ...(!isEmpty && { 'Content-Type': 'application/json' }),
    ...(!isEmpty && { 'Content-Length': bytes.length }),
    ...headers,
  })
  response.end(isEmpty ? undefined : bytes)
}
