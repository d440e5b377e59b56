import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/**
 * Stands before fake-gcs-server and knows how far each resumable session came, which that
 * does not: it takes a question for the end of an upload, adds bytes that it has already, and
 * forgets a session that was finished (v1.56, fakestorage/upload.go). All else passes.
 */
export interface SessionProxy {
  readonly endpoint: string
  close(): Promise<void>
}

export async function startSessionProxy(upstream: string): Promise<SessionProxy> {
  const sessions = new Map<string, Session>()
  const http = createServer((request, response) => {
    answer({ upstream, sessions }, request)
      .then((given) => send(given, request, response))
      .catch((error) => response.destroy(error))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  // A TCP server that listens has one.
  const { port } = http.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async close() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }

  function send(given: Given, request: IncomingMessage, response: ServerResponse) {
    const location = given.headers.location?.replace(
      upstream,
      `http://${request.headers.host}`,
    )
    response.writeHead(given.status, {
      ...given.headers,
      ...(location && { location }),
      ...(given.body.length > 0 && { 'content-length': given.body.length }),
    })
    response.end(given.body)
  }
}

interface Session {
  persisted: number
  /** What its end was answered with. */
  finished: Given | null
  gone: boolean
}

interface Given {
  status: number
  headers: Record<string, string>
  body: Buffer
}

interface Place {
  upstream: string
  sessions: Map<string, Session>
}

interface Passed {
  method: string
  url: string
  headers: Record<string, string>
  body: Buffer
}

async function answer(place: Place, request: IncomingMessage): Promise<Given> {
  const { method = 'GET', url = '/', headers } = request
  const passed: Passed = {
    method,
    url: `${place.upstream}${url}`,
    headers: Object.fromEntries(
      Object.entries(headers).filter(
        (entry): entry is [string, string] =>
          typeof entry[1] === 'string' && !hop.has(entry[0]),
      ),
    ),
    body: await buffer(request),
  }
  const id = new URL(passed.url).searchParams.get('upload_id')
  if (id === null) return pass(passed)
  const session = place.sessions.get(id) ?? { persisted: 0, finished: null, gone: false }
  place.sessions.set(id, session)
  return answerSession(session, passed)
}

async function answerSession(session: Session, passed: Passed): Promise<Given> {
  if (session.gone) return { status: 404, headers: {}, body: Buffer.alloc(0) }
  if (session.finished) return session.finished
  if (passed.method === 'DELETE') {
    session.gone = true
    return pass(passed)
  }
  const range = passed.headers['content-range'] ?? ''
  const [, first, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(range) ?? []
  const rest = passed.body.subarray(Math.max(0, session.persisted - Number(first ?? 0)))
  const end = session.persisted + rest.length
  const isLast = total === String(end)
  if (rest.length === 0 && !isLast) return standing(session)
  const follows =
    rest.length === 0
      ? `bytes */${total}`
      : `bytes ${session.persisted}-${end - 1}/${isLast ? end : '*'}`
  const headers = { ...passed.headers, 'content-range': follows }
  const given = await pass({ ...passed, headers, body: rest })
  if (given.status === 308) session.persisted = end
  else if (given.status < 300) session.finished = given
  return given
}

function standing({ persisted }: Session): Given {
  const range = persisted > 0 && { range: `bytes=0-${persisted - 1}` }
  return { status: 308, headers: { ...range }, body: Buffer.alloc(0) }
}

async function pass({ method, url, headers, body }: Passed): Promise<Given> {
  const hasBody = method !== 'GET' && method !== 'DELETE'
  const given = await fetch(url, {
    method,
    headers,
    redirect: 'manual',
    ...(hasBody && { body: new Uint8Array(body) }),
  })
  return {
    status: given.status,
    headers: Object.fromEntries([...given.headers].filter(([name]) => !hop.has(name))),
    body: Buffer.from(await given.arrayBuffer()),
  }
}

/** Headers of one connection; `fetch` makes its own. */
const hop = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
])
