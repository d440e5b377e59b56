import type { AddressInfo } from 'node:net'
import type { Carcosa } from '../carcosa.ts'
import type { Config } from '../config.ts'
import { createServerMetrics } from '../ops/metrics-server.ts'
import type { Logger } from '../shared/logger.ts'
import { openAdmin } from './server/admin.ts'
import { watchConnections } from './server/connections.ts'
import { describeDatabase, describeStores, isPostgres } from './server/describe.ts'
import { firstSignIn, printedMail, welcome } from './server/first-run.ts'
import { hasLargeHeap } from './server/heap.ts'
import { type Handler, listen, localUrl, stop, uploadServer } from './server/http.ts'
import { servePage } from './server/page.ts'
import { runService, type Service } from './server/service.ts'
import { carcosaOptions, describeSettings, type Loaded } from './server/settings.ts'
import type { Io, Verb } from './verb.ts'

/** `carcosa start`: the standalone server. */
export const verb: Verb = {
  name: 'start',
  summary: 'run the server: carcosa.config.ts, or a demo where there is none',
  usage: `carcosa start [--config <file>] [flags]

Runs the routes of carcosa.config.{ts,mts,js,mjs} in this directory, or of the file that
--config names. Without one it runs a demo: the public route "demo" and a page to try it.

Each setting is taken from the file, else from a flag, else from the environment:

${describeSettings()}

SIGINT or SIGTERM stops: readiness says so, for --drain-delay all is served as before, then
new requests are refused and running ones may end for --shutdown-timeout. An upload that does not
is answered with the offset it has reached. A second signal stops at once.`,
  longRunning: true,
  run: (args, io) =>
    runService(args, io, (service) => {
      warn(service.loaded, service.log)
      return serve(service, io, (address, admin) => {
        io.stdout.write(banner(service.loaded, address, admin))
      })
    }),
}

/** `listening` is called once connections are accepted, also on the admin port, where there is one. */
async function serve(
  { config, log, stopped }: Service,
  io: Io,
  listening: (address: AddressInfo, admin: AddressInfo | null) => void,
): Promise<void> {
  // Loaded here so that other verbs start without it.
  const { createCarcosa } = await import('../carcosa.ts')
  const mail = printedMail(config, io)
  const options = { ...carcosaOptions(config), accounts: mail.accounts }
  const carcosa = await createCarcosa({ ...options, logger: log })
  let stopping = false
  let closeAdmin = () => {}
  try {
    const { server, metrics } = await clientServer(carcosa, {
      config,
      log,
      isStopping: () => stopping,
    })
    const admin = await openAdmin({ carcosa, metrics, log }, config)
    closeAdmin = admin.close
    // Before anybody else can be the first.
    const first = config.accounts ? await firstSignIn(carcosa, config) : null
    const address = await listen(server, config)
    mail.reachedAt(localUrl(address))
    listening(address, admin.address)
    if (first) io.stdout.write(welcome(first, localUrl(address)))
    log.info({ reason: await stopped }, 'Stopping: running requests may end')
    stopping = true
    await carcosa.leave()
    const timeout = config.shutdownTimeout
    const [cutOff] = await Promise.all([
      stop(server, timeout),
      // Half of the time for uploads to end, the rest to answer those that do not.
      carcosa.close({ grace: timeout / 2 }),
    ])
    if (cutOff > 0) log.warn({ connections: cutOff }, 'Cut off what did not end in time')
  } finally {
    await carcosa.close()
    closeAdmin()
  }
  log.info({}, 'Stopped')
}

/** The server for clients, and what it can tell of itself. */
async function clientServer(carcosa: Carcosa, options: PageOptions & { log: Logger }) {
  const { config, log } = options
  const connections = watchConnections(config, log)
  const metrics = createServerMetrics(connections.open)
  connections.onRefused(metrics.connectionRefused)
  const server = uploadServer({
    request: connections.limited(await withPage(carcosa.handler, options)),
    checkContinue: connections.limited(carcosa.checkContinue),
    upgrade: carcosa.upgrade,
  })
  connections.watch(server)
  return { server, metrics }
}

interface PageOptions {
  config: Config
  isStopping(): boolean
}

async function withPage(
  handler: Handler,
  { config, isStopping }: PageOptions,
): Promise<Handler> {
  if (config.page === undefined) return handler
  const page = await servePage(config.page, config.basePath)
  return (request, response) => {
    if (isStopping()) response.setHeader('Connection', 'close')
    if (!page(request, response)) handler(request, response)
  }
}

function warn({ config, unusedFlags, file }: Loaded, log: Logger): void {
  for (const flag of unusedFlags)
    log.warn({ flag }, `Not used, because ${file} says otherwise`)
  if (!config.worker && !isPostgres(config.database)) {
    log.warn(
      {},
      'Nobody runs jobs: no other process can, where the database is embedded. Leave out --no-worker, or use Postgres',
    )
  }
  if (hasLargeHeap()) return
  log.warn({}, 'Uploads are slower: start Node with --initial-old-space-size=256')
}

function banner(
  { config, origins, file }: Loaded,
  address: AddressInfo,
  admin: AddressInfo | null,
): string {
  const url = `${localUrl(address)}${config.basePath}`
  const routes = Object.keys(config.router.routes)
  const lines = [
    `Carcosa is listening on ${url}`,
    config.publicUrl && `  public      ${config.publicUrl}`,
    `  routes      ${routes.join(', ')} (${file ?? 'built-in demo; carcosa.config.ts replaces it'})`,
    `  data        ${config.dataDir} (${origins.dataDir})`,
    `  database    ${describeDatabase(config.database)} (${origins.database})`,
    `  files       ${describeStores(config)}`,
    admin && `  admin       ${localUrl(admin)}/metrics`,
    config.accounts &&
      `  accounts    sign in on ${config.publicUrl ?? localUrl(address)}${config.basePath}/auth/sign-in`,
    config.page && `  page        drop files on ${url}/`,
    `  shell       npx carcosa upload <file> --route ${routes[0]} --to ${url}`,
  ]
  return `${lines.filter((line) => line).join('\n')}\n`
}
