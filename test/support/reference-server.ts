import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

/** What to do to a request instead of answering it properly. */
export type Fault =
  /** Answer with this status, from no tus server unless the headers say so. */
  | { status: number; headers?: Record<string, string>; body?: object }
  /** Cut the connection before any answer, after so many bytes of the body. */
  | { cutAfter: number }
  /** Do the work, then cut the connection in place of the answer. */
  | { loseAnswer: true }
  /** Begin an answer and cut the connection in the middle of it. */
  | { cutAnswer: true }
  /** Never answer. */
  | { stall: true }

/** A request as it arrived, and its answer. */
export interface Seen {
  method: string
  path: string
  headers: IncomingMessage['headers']
  /** 0 where the fault left none. */
  status: number
}

/** What a test decides about the reference server while it runs. */
export interface ReferenceServer {
  readonly url: string
  readonly seen: Seen[]
  /** Asked for every request; a fault it returns happens. */
  fault: (seen: Seen, nth: number) => Fault | undefined
  /** The verdict of `prepare` on each file, or null for a ticket. */
  refuse: (file: { name: string; size: number }) => object | null
  /** What the state document says beyond the offset, once all bytes are there. */
  outcome: (id: string) => object
  /** The body of the upload with this id. */
  bytes(id: string): Promise<Buffer>
  remove(id: string): Promise<void>
  /** Cuts all connections and stops listening, as a killed process does. */
  kill(): Promise<void>
  /** Listens again on the same port. */
  restart(): Promise<void>
}

/**
 * A tus server made of @tus/server and its FileStore with just enough of Carcosa's JSON
 * around it, and faults to order. It shares no code with Carcosa, so that a client that gets
 * along with it is not merely agreeing with itself.
 */
export async function startReferenceServer(directory: string): Promise<ReferenceServer> {
  const urlOf = (id: string) => `/media/uploads/demo/${id}`
  const store = new FileStore({ directory })
  const tus = new Server({
    path: '/media/uploads/demo',
    datastore: store,
    relativeLocation: true,
    namingFunction: () => randomUUID(),
    generateUrl: (_request, { id }) => urlOf(id),
    async onUploadCreate(request, upload) {
      created.set(request.headers.get('upload-ticket') ?? '', urlOf(upload.id))
      return {}
    },
  })
  const created = new Map<string, string>()
  const tickets = new Set<string>()
  let port = 0
  let http = createServer()

  const server: ReferenceServer = {
    get url() {
      return `http://127.0.0.1:${port}/media`
    },
    seen: [],
    fault: () => undefined,
    refuse: () => null,
    outcome: () => ({ state: 'ready', serverData: null }),
    bytes: (id) => buffer(store.read(id)),
    remove: (id) => store.remove(id),
    kill: () =>
      new Promise((resolve) => {
        http.close(() => resolve())
        http.closeAllConnections()
      }),
    restart: listen,
  }

  async function listen() {
    http = createServer((request, response) => {
      handle(request, response).catch((error) => response.destroy(error))
    })
    await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))
    port = (http.address() as AddressInfo).port
  }

  async function handle(request: IncomingMessage, response: ServerResponse) {
    const { method = '', headers } = request
    const path = new URL(request.url ?? '', server.url).pathname
    const seen: Seen = { method, path, headers, status: 0 }
    const nth = server.seen.filter((other) => other.method === method).length
    server.seen.push(seen)
    response.on('finish', () => {
      seen.status = response.statusCode
    })
    const fault = server.fault(seen, nth)
    if (fault && (await commit(fault, request, response))) return
    if (path.endsWith('/prepare')) return prepare(request, response)
    if (path === '/media/routes') return json(response, 200, { routes: {} })
    if (method === 'GET') return describe(path, response)
    return relay(request, response)
  }

  async function prepare(request: IncomingMessage, response: ServerResponse) {
    const { files } = JSON.parse((await buffer(request)).toString())
    const verdicts = files.map((file: { name: string; size: number }) => {
      const error = server.refuse(file)
      if (error) return { name: file.name, error }
      const ticket = randomUUID()
      tickets.add(ticket)
      return { name: file.name, ticket }
    })
    json(response, 200, { batchId: randomUUID(), errors: [], files: verdicts })
  }

  async function describe(path: string, response: ServerResponse) {
    const id = path.split('/').pop() ?? ''
    const upload = await store.getUpload(id).catch(() => null)
    if (!upload) return json(response, 404, { code: 'UPLOAD_NOT_FOUND', detail: 'No.' })
    const done = upload.offset === upload.size
    json(response, 200, {
      id,
      route: 'demo',
      name: upload.metadata?.filename ?? null,
      size: upload.size,
      offset: upload.offset,
      type: upload.metadata?.filetype ?? null,
      sha256: null,
      url: `/media/files/${id}`,
      failure: null,
      ...(done ? server.outcome(id) : { state: 'receiving', serverData: null }),
    })
  }

  async function relay(request: IncomingMessage, response: ServerResponse) {
    const ticket = String(request.headers['upload-ticket'] ?? '')
    if (request.method === 'POST') {
      if (!tickets.has(ticket)) {
        return json(response, 403, { code: 'TICKET_INVALID', detail: 'Unknown ticket.' })
      }
      const location = created.get(ticket)
      if (location) {
        response.writeHead(201, { location, 'tus-resumable': '1.0.0' }).end()
        return
      }
    }
    await tus.handle(request, response)
  }

  await listen()
  return server
}

/** Does the damage. Returns false if the request is to be handled all the same. */
async function commit(fault: Fault, request: IncomingMessage, response: ServerResponse) {
  if ('status' in fault) {
    request.resume()
    const type = { 'content-type': 'application/problem+json' }
    response.writeHead(fault.status, { ...(fault.body && type), ...fault.headers })
    response.end(request.method === 'HEAD' ? '' : JSON.stringify(fault.body ?? {}))
    return true
  }
  if ('cutAfter' in fault) {
    let received = 0
    if (fault.cutAfter === 0) request.destroy()
    // Beside the handler, so that what came before the cut is kept.
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
      if (received >= fault.cutAfter) request.destroy()
    })
    request.pause()
    return fault.cutAfter === 0
  }
  if ('loseAnswer' in fault) {
    response.writeHead = () => {
      request.socket.destroy()
      return response
    }
    return false
  }
  if ('cutAnswer' in fault) {
    request.resume()
    response.writeHead(200, { 'content-length': '1000' })
    response.write('{"half')
    setTimeout(() => request.socket.destroy(), 20)
    return true
  }
  request.resume()
  return true
}

function json(response: ServerResponse, status: number, body: object) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
