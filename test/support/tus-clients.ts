import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { build } from 'vite'

const source = join(import.meta.dirname, '../fixtures/tus-clients')
const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' }

export interface Site {
  readonly url: string
  close(): Promise<void>
}

/**
 * A page that has tus-js-client and Uppy in `globalThis.clients`, built into `directory` and
 * served from an origin of its own, as the site of somebody who uses Carcosa would be.
 */
export async function serveTusClients(directory: string): Promise<Site> {
  await build({
    root: source,
    configFile: false,
    logLevel: 'warn',
    build: { outDir: directory, minify: false, emptyOutDir: true },
  })
  const server = createServer((request, response) => {
    const path = request.url === '/' ? '/index.html' : (request.url ?? '')
    response.setHeader('content-type', types[extname(path)] ?? 'text/plain')
    const file = createReadStream(join(directory, path))
    file.on('error', () => response.writeHead(404).end())
    file.pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
