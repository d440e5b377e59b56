import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Carcosa } from '../../carcosa.ts'
import { readinessReply } from '../../ops/health.ts'
import type { ServerMetrics } from '../../ops/metrics-server.ts'
import type { Logger } from '../../shared/logger.ts'
import { jsonReply, type Reply } from '../../shared/reply.ts'
import { listen } from './http.ts'

export interface AdminParts {
  readonly carcosa: Pick<Carcosa, 'metrics' | 'readiness'>
  readonly metrics: ServerMetrics
  readonly log: Logger
}

/** Where the port for operators is reached; `address` is null where there is none. */
export interface Admin {
  readonly address: AddressInfo | null
  close(): void
}

/** Opens the port for operators, if `adminPort` names one. @throws {CarcosaError} LISTEN_FAILED */
export async function openAdmin(
  parts: AdminParts,
  { adminPort, adminHost }: { adminPort: number | undefined; adminHost: string },
): Promise<Admin> {
  if (adminPort === undefined) return { address: null, close: () => {} }
  const server = adminServer(parts)
  const address = await listen(server, { host: adminHost, port: adminPort })
  return {
    address,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/**
 * The server for operators: `/metrics`, `/healthz` and `/readyz` on a port of its own, which
 * clients need not reach. It answers until the process ends, also while that stops.
 */
function adminServer(parts: AdminParts): Server {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 })
  server.on('request', (request, response) => {
    const { method = '', url = '' } = request
    request.resume()
    void answer(parts, method, url.replace(/\?.*$/, ''))
      .catch((err: unknown) => {
        parts.log.error({ err, path: url }, 'the admin port could not answer')
        return jsonReply(500, { status: 'error' })
      })
      .then((reply) => write(response, reply, method === 'HEAD'))
  })
  return server
}

async function answer(
  { carcosa, metrics }: AdminParts,
  method: string,
  path: string,
): Promise<Reply> {
  if (method !== 'GET' && method !== 'HEAD') {
    const refused = jsonReply(405, { status: 'only GET and HEAD are allowed' })
    return { ...refused, headers: { ...refused.headers, Allow: 'GET, HEAD' } }
  }
  if (path === '/healthz') return jsonReply(200, { status: 'ok' })
  if (path === '/readyz') return readinessReply(await carcosa.readiness())
  if (path === '/metrics') {
    const { body, contentType } = await metrics.append(await carcosa.metrics())
    return {
      status: 200,
      headers: { 'Content-Type': contentType, 'Cache-Control': 'no-store' },
      body,
    }
  }
  return jsonReply(404, { status: 'there are /metrics, /healthz and /readyz' })
}

function write(
  response: ServerResponse,
  { status, headers, body }: Reply,
  isHead: boolean,
): void {
  const text = String(body)
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text) })
  response.end(isHead ? undefined : text)
}
