import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server that is not ours and not written for Node. */
export interface Program {
  /** Of its executable. */
  path: string
  /** What makes it listen on that port of 127.0.0.1 and keep its data in that directory. */
  args(place: { port: number; directory: string }): string[]
  /** Added to the environment of this process. */
  env?: Record<string, string>
  /** Resolves once it serves. Called again as long as it throws. */
  ready(endpoint: string): Promise<unknown>
}

export interface RunningProgram {
  /** `http://127.0.0.1:…` */
  endpoint: string
  /** Resolves when the process is gone, and its directory with it. */
  stop(): Promise<void>
}

const patience = 30_000

/**
 * Starts it with an empty directory. It does not keep this process alive and stops when this
 * process ends, however that happens. Throws what it printed if it does not get ready.
 */
export async function startProgram(program: Program): Promise<RunningProgram> {
  const directory = await mkdtemp(join(tmpdir(), 'carcosa-program-'))
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const { printed, gone, stop } = guarded(directory, program, port)
  try {
    await untilReady(() => program.ready(endpoint), gone)
    return { endpoint, stop }
  } catch (cause) {
    await stop()
    throw new Error(`${program.path} does not serve: ${printed()}`, { cause })
  }
}

function guarded(directory: string, { path, args, env }: Program, port: number) {
  const guard = join(import.meta.dirname, 'guard.ts')
  const command = [guard, directory, path, ...args({ port, directory })]
  // Detached: killed with the group of the test file, the guard could not clean up.
  const child = spawn(process.execPath, command, {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const gone = once(child, 'close').then(() => {})
  let said = ''
  const hear = (text: Buffer) => {
    said = `${said}${text}`.slice(-10_000)
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  child.unref()
  for (const pipe of child.stdio) if (pipe instanceof Socket) pipe.unref()
  return {
    printed: () => said,
    gone,
    async stop() {
      child.ref()
      child.stdin.end()
      await gone
    },
  }
}

async function untilReady(ready: () => Promise<unknown>, gone: Promise<void>) {
  const deadline = performance.now() + patience
  let alive = true
  void gone.then(() => {
    alive = false
  })
  for (;;) {
    try {
      await ready()
      return
    } catch (error) {
      if (!alive || performance.now() > deadline) throw error
      await sleep(25)
    }
  }
}

/** A port of 127.0.0.1 that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const free = typeof address === 'object' && address ? address.port : 0
      probe.close(() => resolve(free))
    })
  })
}
