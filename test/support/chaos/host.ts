import type { FaultPoint } from '../../../src/uploads/faults.ts'
import { type ChaosServer, runServer } from './run-server.ts'
import type { ChaosSettings } from './server.ts'

/** A server that comes back whenever it died, at the same address. */
export interface Host {
  readonly url: string
  /** How often it was started. */
  readonly lives: number
  /** Starts it again if it is dead. */
  revive(): Promise<void>
  kill(): Promise<void>
  stop(): Promise<void>
}

/** Points of the write path at which a process may be armed to die. */
const points: readonly FaultPoint[] = [
  'receive:after-write',
  'finish:before-commit',
  'finish:after-commit',
  'completion:before-callback',
  'completion:after-callback',
  'completion:after-commit',
]

export async function startHost(
  settings: ChaosSettings,
  random: () => number,
): Promise<Host> {
  let server: ChaosServer = await runServer(settings)
  const { url, port } = server
  let lives = 1
  let reviving: Promise<void> | undefined

  const start = async () => {
    // At most four times: then it lives until somebody kills it, and the run ends.
    const isArmed = lives < 5 && random() < 0.4
    const dieAt = isArmed ? points[Math.floor(random() * points.length)] : undefined
    lives++
    server = await runServer({ ...settings, port, dieAt }).catch((error: unknown) => {
      if (!dieAt) throw error
      // A job took it to its point before it listened.
      return runServer({ ...settings, port })
    })
  }
  return {
    url,
    get lives() {
      return lives
    },
    async revive() {
      if (!isDead(server)) return
      reviving ??= start().finally(() => {
        reviving = undefined
      })
      await reviving
    },
    kill: () => server.kill(),
    stop: () => server.stop(),
  }
}

function isDead({ process: { exitCode, signalCode } }: ChaosServer): boolean {
  return exitCode !== null || signalCode !== null
}
