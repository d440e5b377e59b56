import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, command, directory } from './command.ts'
import { nodeAt, startNginx } from './nginx.ts'
import { startPostgresServer } from './postgres.ts'
import { freePort } from './program.ts'
import { isHere } from './requirements.ts'
import { type S3Server, s3Server } from './s3-server.ts'

/** What docker-compose.yml of examples/deploy starts, as processes of this machine. */
export interface Topology {
  /** Of nginx; of the first node where there is no nginx. */
  readonly url: string
  /** What a client sends as `Authorization: Bearer …`. */
  readonly token: string
  readonly nodes: readonly TopologyNode[]
  readonly worker: Command
  /** What runs, in lines for a person. */
  readonly parts: readonly string[]
  /** Ends all of it and leaves nothing behind. */
  stop(): Promise<void>
}

export interface TopologyNode {
  readonly url: string
  /** The process that runs now. */
  readonly process: Command
  /** Starts it again, at the same place. */
  restart(): Promise<void>
}

const config = join(import.meta.dirname, '../../examples/deploy/carcosa.config.ts')

/**
 * Starts Postgres (unless `database` names one), an S3 server if there is one (else a directory),
 * two nodes, a worker, and nginx if there is one with examples/deploy/nginx.conf.
 */
export async function startTopology({
  database,
}: {
  database?: string
} = {}): Promise<Topology> {
  const ends: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const postgres = database ? null : await startPostgresServer()
    if (postgres) ends.push(postgres.stop)
    const store = await startStore(ends)
    const token = randomBytes(24).toString('base64url')
    const env = {
      ...store.env,
      DATABASE_URL: database ?? postgres?.url ?? '',
      CARCOSA_SECRET: randomBytes(32).toString('base64'),
      UPLOAD_TOKEN: token,
    }
    // One after the other: the first brings the database to this version.
    const nodes = [await startNode(env, ends), await startNode(env, ends)]
    const worker = await startWorker(env, ends)
    const nginx = isHere('nginx')
      ? await startNginx(nodes.map(({ url }) => new URL(url).host))
      : null
    if (nginx) ends.push(nginx.stop)
    const url = nginx?.endpoint ?? nodes[0]?.url ?? ''
    const parts = [
      `nginx     ${nginx?.endpoint ?? 'is not here: apt-get install nginx-light'}`,
      ...nodes.map((node, at) => `node-${at + 1}    ${node.url}`),
      `worker    process ${worker.child.pid}`,
      `Postgres  ${postgres ? 'of this checkout, gone at the end' : 'DATABASE_URL'}`,
      `files     ${store.told}`,
    ]
    return { url, token, nodes, worker, parts, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type Ends = (() => Promise<unknown>)[]
type Environment = Record<string, string>

async function startStore(ends: Ends): Promise<{ env: Environment; told: string }> {
  const program = (['versitygw', 'minio'] as const).find(isHere)
  if (!program) {
    const path = directory()
    return { env: { CARCOSA_STORE: `file:${path}` }, told: `in ${path}` }
  }
  const server = await s3Server(program)
  ends.push(server.stop)
  return {
    env: { CARCOSA_STORE: storeUrl(server), ...credentialsOf(server) },
    told: program,
  }
}

function storeUrl({
  endpoint,
  bucket,
  prefix,
  region,
  forcePathStyle,
}: S3Server): string {
  const pathStyle = String(forcePathStyle)
  return `s3://${bucket}/${prefix}?${new URLSearchParams({ endpoint, region, pathStyle })}`
}

function credentialsOf({ credentials }: S3Server): Environment {
  if (!credentials) return {}
  const { accessKeyId, secretAccessKey } = credentials
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
}

async function startNode(env: Environment, ends: Ends): Promise<TopologyNode> {
  const port = await freePort()
  const begin = async () => {
    const args = ['start', '--config', config, '--port', `${port}`, '--no-worker']
    const started = command(args, { env })
    await started.printed(/listening on/)
    return started
  }
  let process = await begin()
  ends.push(() => terminate(process))
  return {
    url: `http://${nodeAt(port)}`,
    get process() {
      return process
    },
    async restart() {
      await terminate(process)
      process = await begin()
    },
  }
}

async function startWorker(env: Environment, ends: Ends): Promise<Command> {
  const worker = command(['worker', '--config', config], { env })
  await worker.printed(/working on/)
  ends.push(() => terminate(worker))
  return worker
}

/** As an orchestrator does it: asks, and after a while does not ask. */
async function terminate({ child, ended }: Command): Promise<void> {
  child.kill('SIGTERM')
  const late = new AbortController()
  const killed = sleep(15_000, undefined, { signal: late.signal }).then(
    () => child.kill('SIGKILL'),
    () => {},
  )
  await Promise.race([ended, killed])
  await ended
  late.abort()
}
