import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { type ClientOptions, createClient } from '../../client/index.ts'
import { type ReferenceServer, startReferenceServer } from './reference-server.ts'

/** Bytes that travel in more than one piece. */
export const content = randomBytes(3 * 1024 * 1024 + 17)

export interface ClientContext {
  readonly directory: string
  readonly server: ReferenceServer
}

/** A suite whose every test has a reference server and a directory of its own. */
export function clientSuite(title: string) {
  const context = {} as { directory: string; server: ReferenceServer }
  const test = suite<ClientContext>(title, context)
  test.before.each(async () => {
    context.directory = await mkdtemp(join(tmpdir(), 'carcosa-client-'))
    context.server = await startReferenceServer(join(context.directory, 'server'))
  })
  test.after.each(async ({ server, directory }) => {
    await server.kill()
    await rm(directory, { recursive: true, force: true })
  })
  return test
}

/** A client that does not make a test wait. */
export function clientOf(server: ReferenceServer, options: Partial<ClientOptions> = {}) {
  const retry = { attempts: 5, minDelay: 5, maxDelay: 20, ...options.retry }
  return createClient({ url: server.url, ...options, retry })
}

/** A file of `bytes` that is the same file each time it is made. */
export function fileOf(bytes: Buffer<ArrayBuffer> = content, name = 'a.bin'): File {
  return new File([bytes], name, { type: 'application/octet-stream', lastModified: 1 })
}

/** The methods of the requests so far. */
export function methods(server: ReferenceServer): string[] {
  return server.seen.map(({ method }) => method)
}

/** How many uploads the client asked for. */
export function creations(server: ReferenceServer): number {
  return server.seen.filter(({ path }) => path.endsWith('/uploads/demo')).length
}

/** An upload that runs, of which the first MiB, and no more, is on the server. */
export async function interrupted(
  server: ReferenceServer,
  options: Partial<ClientOptions> = {},
) {
  const client = clientOf(server, { chunkSize: 1024 * 1024, ...options })
  const upload = client.create('demo', [fileOf()])
  await new Promise<void>((resolve) => {
    server.fault = ({ method }, nth) => {
      if (method !== 'PATCH' || nth !== 1) return undefined
      resolve()
      return { stall: true }
    }
  })
  server.fault = () => undefined
  return { client, upload }
}
