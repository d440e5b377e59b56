import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuthProvider } from '../../src/auth/principal.ts'
import type { Carcosa, Internals } from '../../src/carcosa.ts'
import { createCarcosa } from '../../src/carcosa.ts'
import type { CarcosaOptions } from '../../src/config.ts'
import type { FileRecord } from '../../src/files/record.ts'
import { findFile } from '../../src/files/records.ts'
import { route } from '../../src/routes/route.ts'
import { createRouter } from '../../src/routes/router.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import type { UploadDeps } from '../../src/uploads/deps.ts'
import { closeConnections, type Exchange, overFetch, overHttp } from './exchange.ts'
import { postgres } from './postgres.ts'

/** A Carcosa behind a real HTTP server, in this process. */
export interface TestServer {
  readonly carcosa: Carcosa
  readonly http: Server
  readonly port: number
  readonly dataDir: string
  /** The URL of its database. */
  readonly database: string
  /** The insides, to look at what a request left behind. */
  readonly uploads: UploadDeps
  /** The same request through each door. */
  readonly doors: Readonly<Record<Door, Exchange>>
  /** The row of an upload, by its id or URL. */
  row(upload: string): Promise<FileRecord>
  /** The row created last, whatever became of it; null if there is none. */
  newest(): Promise<FileRecord | null>
  close(): Promise<void>
}

export type Door = 'http' | 'fetch'
export const doors: readonly Door[] = ['http', 'fetch']

const MiB = 1024 * 1024

/** The largest upload of the route `demo`. */
export const maxSize = 16 * MiB

/**
 * `demo` and `private` are public, the first readable by all; `mine` belongs to who uploads;
 * `image` looks at what arrived; `brief` forgets after 700 ms without progress.
 */
export const testRouter = createRouter({
  demo: route({ blob: { maxFileSize: maxSize, acl: 'public-read' } }).public(),
  private: route({ blob: { maxFileSize: maxSize } }).public(),
  mine: route({ blob: { maxFileSize: maxSize } }),
  image: route({ image: { maxFileSize: maxSize, acl: 'public-read' } }).public(),
  brief: route({ blob: { maxFileSize: maxSize } })
    .public()
    .expiresIn(700),
})

/** Knows `Bearer <name>` for any name but `expired`, which it refuses; `service…` is one. */
export const bearer: AuthProvider = {
  name: 'bearer',
  authenticate({ headers }) {
    const [, name] = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '') ?? []
    if (name === 'expired') throw new CarcosaError('UNAUTHENTICATED')
    if (!name) return null
    return { id: name, kind: name.startsWith('service') ? 'service' : 'user' }
  },
}

/**
 * Starts one with {@link testRouter} on an empty Postgres database, or on PGlite with
 * `CARCOSA_TEST_DATABASE=pglite`. Jobs do not run; `close` leaves nothing behind.
 */
export async function startServer(
  options: Partial<CarcosaOptions> = {},
  internals: Internals = {},
): Promise<TestServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'carcosa-test-'))
  const embedded = process.env.CARCOSA_TEST_DATABASE === 'pglite'
  const database = embedded ? null : await postgres()
  let uploads: UploadDeps | undefined
  const carcosa = await createCarcosa(
    {
      router: testRouter,
      auth: [bearer],
      database: database?.url ?? 'memory://',
      dataDir,
      worker: false,
      ...options,
    },
    {
      ...internals,
      inspect(found) {
        uploads = found
      },
    },
  )
  const http = createServer({ requestTimeout: 0 }, carcosa.handler)
  http.on('checkContinue', carcosa.checkContinue)
  http.on('upgrade', (req, socket, head) => {
    if (!carcosa.upgrade(req, socket, head)) socket.destroy()
  })
  const port = await listen(http)
  if (!uploads) throw new TypeError('createCarcosa showed nothing of its insides')
  const inside = uploads

  return {
    carcosa,
    http,
    port,
    dataDir,
    database: database?.url ?? 'memory://',
    uploads: inside,
    doors: { http: overHttp(port), fetch: overFetch(carcosa.fetch) },
    async row(upload) {
      const found = await findFile(inside.db, upload.split('/').pop() ?? '')
      if (!found) throw new Error(`there is no row of ${upload}`)
      return found
    },
    async newest() {
      const [found] = await inside.db.query<{ id: string }>({
        name: 'newest_file',
        sql: 'SELECT id FROM carcosa.file ORDER BY created_at DESC LIMIT 1',
      })
      return found ? findFile(inside.db, found.id) : null
    },
    async close() {
      closeConnections(port)
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
      await carcosa.close()
      await database?.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Listens on a free port of this machine. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server that listens has one.
  return (server.address() as AddressInfo).port
}
