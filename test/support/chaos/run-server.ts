import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ChaosSettings } from './server.ts'

export interface ChaosServer {
  url: string
  port: number
  process: ChildProcess
  /** Resolves when the process is gone, however it went. */
  gone: Promise<void>
  kill(): Promise<void>
  stop(): Promise<void>
}

/** Starts the server process and waits until it accepts connections. */
export async function runServer(settings: ChaosSettings): Promise<ChaosServer> {
  const script = join(import.meta.dirname, 'server.ts')
  const child = spawn(process.execPath, [script, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit').then(() => {})
  const port = await listening(child)
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal)
    await gone
  }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    process: child,
    gone,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  }
}

async function listening(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new TypeError('stdout is piped')
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^listening (\d+)$/.exec(line)?.[1]
    if (port) return Number(port)
  }
  throw new Error('the server ended before it listened')
}
