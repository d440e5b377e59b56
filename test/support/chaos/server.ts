/**
 * A real server process that chaos tests kill. Takes its settings as JSON in the first
 * argument, prints `listening <port>`, and dies by SIGKILL at the fault point it is armed with.
 */
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createCarcosa,
  createRouter,
  type QuotaOptions,
  route,
} from '../../../src/index.ts'
import { createLogger } from '../../../src/ops/log.ts'
import type { FaultPoint } from '../../../src/uploads/faults.ts'
import { openStore, type StoreDescription } from './open-store.ts'

export interface ChaosSettings {
  dataDir: string
  /** Default: embedded, in dataDir. */
  database?: string
  /** Default: files in dataDir. */
  store?: StoreDescription
  /** Where log lines are appended. Default: nowhere. */
  log?: string
  port?: number
  /** Default: its own, in dataDir. */
  secret?: string
  /** Kill the process the first time it gets here. */
  dieAt?: FaultPoint
  /** Where each run of the completion callback appends its idempotency key. */
  callbackLog?: string
  quota?: QuotaOptions
}

const settings: ChaosSettings = JSON.parse(process.argv[2] ?? '{}')
const { dataDir, database, store, secret, log, quota } = settings
const blob = { blob: { maxFileSize: '8GB', acl: 'public-read' } } as const

const router = createRouter({
  plain: route(blob).public(),
  called: route(blob)
    .public()
    .onUploadComplete(({ file, idempotencyKey }) => {
      if (settings.callbackLog)
        appendFileSync(settings.callbackLog, `${idempotencyKey}\n`)
      return { size: file.size }
    }),
})

const carcosa = await createCarcosa(
  {
    router,
    dataDir,
    database,
    secret,
    ...(store && { store: openStore(store) }),
    ...(quota && { quota }),
    ...(log && { logger: logger(log) }),
  },
  {
    // Short, so that a test need not wait long for the job that takes over.
    claimMs: 1_000,
    faults(point) {
      if (point === settings.dieAt) process.kill(process.pid, 'SIGKILL')
    },
  },
)
const server = createServer({ requestTimeout: 0 }, carcosa.handler)
server.on('checkContinue', carcosa.checkContinue)
server.listen(settings.port ?? 0, '127.0.0.1', () => {
  console.log(`listening ${(server.address() as AddressInfo).port}`)
})
process.once('SIGTERM', async () => {
  server.close()
  server.closeAllConnections()
  await carcosa.close()
  process.exit(0)
})

function logger(path: string) {
  return createLogger({
    level: 'debug',
    // At once: a process that is killed writes nothing more.
    output: { write: (text) => appendFileSync(path, text) },
  })
}
