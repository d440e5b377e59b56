import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresServer } from '../postgres.ts'
import type { Host } from './host.ts'
import { type ChaosServer, runServer } from './run-server.ts'
import type { ChaosSettings } from './server.ts'

/** What can happen to a node. */
export const troubles = ['killed', 'frozen', 'cut off'] as const
export type Trouble = (typeof troubles)[number]

/** Several servers on one database and one store, of which none is spared. */
export interface Fleet {
  /** Another node with every request, whether it is alive or not. */
  readonly host: Host
  /** How often each trouble happened, and the database was restarted. */
  readonly happened: ReadonlyMap<string, number>
  /** Makes trouble every `everyMs` until `calm`; `stopped` resolves when the last one is over. */
  trouble(options: { everyMs: number; freezeMs: number; random: () => number }): {
    stopped: Promise<void>
  }
  /** Makes no more trouble. */
  calm(): void
  restartDatabase(): Promise<void>
  /** Stops all of them properly. */
  stop(): Promise<void>
  kill(): Promise<void>
}

interface Node {
  readonly name: string
  readonly settings: ChaosSettings
  server: ChaosServer
  /** Frozen or being started again: left alone by other troubles. */
  busy: boolean
}

export async function startFleet(
  settings: ChaosSettings & { database: string },
  { nodes: count, postgres }: { nodes: number; postgres: PostgresServer },
): Promise<Fleet> {
  const happened = new Map<string, number>()
  const nodes = await Promise.all(
    Array.from({ length: count }, (_, i) => startNode(settings, `node-${i + 1}`)),
  )
  const calm = Promise.withResolvers<void>()
  let next = 0
  let lives = count

  const restart = async (node: Node) => {
    lives++
    const again = { ...node.settings, port: node.server.port }
    for (let tries = 1; ; tries++) {
      await sleep(300)
      // It ends at once where the database is being restarted too, as a supervisor would see.
      const started = await runServer(again).catch((error: unknown) => {
        if (tries === 20) throw error
      })
      if (!started) continue
      node.server = started
      return
    }
  }
  const happen: Record<Trouble, (node: Node, freezeMs: number) => Promise<void>> = {
    async killed(node) {
      await node.server.kill()
      await restart(node)
    },
    async frozen(node, freezeMs) {
      node.server.process.kill('SIGSTOP')
      await sleep(freezeMs)
      node.server.process.kill('SIGCONT')
    },
    async 'cut off'({ name }) {
      await execute(
        postgres.url,
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = '${name}'`,
      )
    },
  }
  const note = (what: string) => happened.set(what, (happened.get(what) ?? 0) + 1)
  const strike = async (trouble: Trouble, node: Node, freezeMs: number) => {
    note(trouble)
    node.busy = true
    try {
      await happen[trouble](node, freezeMs)
    } finally {
      node.busy = false
    }
  }

  return {
    happened,
    host: {
      get url() {
        return nodes[next++ % nodes.length]?.server.url ?? ''
      },
      get lives() {
        return lives
      },
      revive: async () => {},
      kill: async () => {},
      stop: async () => {},
    },

    trouble({ everyMs, freezeMs, random }) {
      const one = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)]
      const striking = new Set<Promise<void>>()
      const timer = setInterval(() => {
        const node = one(nodes.filter(({ busy }) => !busy))
        const trouble = one(troubles)
        if (!node || !trouble) return
        const work = strike(trouble, node, freezeMs)
        striking.add(work)
        // Waited for below; until then it is nobody's fault.
        work.then(
          () => striking.delete(work),
          () => {},
        )
      }, everyMs)
      const stopped = calm.promise.then(async () => {
        clearInterval(timer)
        await Promise.all(striking)
      })
      return { stopped }
    },
    calm: () => calm.resolve(),

    async restartDatabase() {
      note('database restarted')
      await postgres.restart()
    },

    async stop() {
      await Promise.all(nodes.map(({ server }) => server.stop()))
    },
    async kill() {
      await Promise.all(nodes.map(({ server }) => server.kill()))
    },
  }
}

async function startNode(
  settings: ChaosSettings & { database: string },
  name: string,
): Promise<Node> {
  const database = new URL(settings.database)
  database.searchParams.set('application_name', name)
  const own = { ...settings, database: database.href }
  return { name, settings: own, server: await runServer(own), busy: false }
}

async function execute(url: string, sql: string): Promise<void> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  // The database may be restarted at this moment, which cuts everybody off as well.
  client.on('error', () => {})
  await client
    .connect()
    .then(() => client.query(sql))
    .catch(() => {})
  await client.end().catch(() => {})
}
