import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { FileStore } from '@tus/file-store'
import { Server, type ServerOptions } from '@tus/server'
import { closeConnections, type Exchange, overHttp } from './exchange.ts'
import { listen } from './server.ts'

/** The library as it is, to show that a fault is there before showing that it is not here. */
export interface BareTus {
  readonly exchange: Exchange
  readonly port: number
  readonly server: Server
  readonly store: FileStore
  readonly directory: string
  /** Creates an upload and sends bytes of it; returns its path. */
  upload(length: number, bytes?: string, metadata?: string): Promise<string>
  close(): Promise<void>
}

export interface BareOptions extends Partial<ServerOptions> {
  /** What is between the connection and the library. Default nothing. */
  host?: (handle: RequestListener) => RequestListener
  /** Expires uploads after so many ms. */
  expiresAfter?: number
}

const offsetStream = 'application/offset+octet-stream'

export async function bareTus(options: BareOptions = {}): Promise<BareTus> {
  const { host, expiresAfter, ...rest } = options
  const directory = mkdtempSync(join(tmpdir(), 'carcosa-bare-'))
  const store = new FileStore({
    directory,
    ...(expiresAfter && { expirationPeriodInMilliseconds: expiresAfter }),
  })
  const server = new Server({
    path: '/files',
    datastore: store,
    relativeLocation: true,
    ...rest,
  })
  const handle: RequestListener = (req, res) => void server.handle(req, res)
  const http = createServer(host ? host(handle) : handle)
  const port = await listen(http)
  const exchange = overHttp(port)

  return {
    exchange,
    port,
    server,
    store,
    directory,
    async upload(length, bytes = '', metadata) {
      const headers = {
        'Upload-Length': String(length),
        ...(metadata !== undefined && { 'Upload-Metadata': metadata }),
      }
      const made = await exchange({ method: 'POST', path: '/files', headers })
      const path = made.headers.location ?? ''
      if (bytes === '') return path
      await exchange({
        method: 'PATCH',
        path,
        headers: { 'Upload-Offset': '0', 'Content-Type': offsetStream },
        body: bytes,
      })
      return path
    },
    async close() {
      closeConnections(port)
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
      // Its constructor makes the directory some time later, and throws where nobody catches.
      await wait(50)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
