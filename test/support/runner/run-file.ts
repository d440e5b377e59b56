import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface RunOptions {
  /** Seconds after which the file and everything it started is killed. */
  timeout: number
  env: NodeJS.ProcessEnv
  cwd: string
}

/** How the process of one test file ended. */
export interface Outcome {
  /** Exit code; null if a signal ended it. */
  code: number | null
  signal: NodeJS.Signals | null
  timedOut: boolean
  /** Standard output and standard error in order of arrival. */
  output: string
  seconds: number
}

const running = new Set<ChildProcess>()

/**
 * Runs one test file with the Node that runs us, in a process group of its own. Whatever of
 * the group still lives when the file ends is killed, so that no test leaves a server behind.
 */
export async function runFile(path: string, options: RunOptions): Promise<Outcome> {
  const started = performance.now()
  const child = spawn(process.execPath, [path], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  child.stderr.on('data', (chunk) => chunks.push(chunk))
  const closed = once(child, 'close')
  const timer = setTimeout(() => kill(child), options.timeout * 1000)

  const [code, signal] = await once(child, 'exit')
  const timedOut = performance.now() - started >= options.timeout * 1000
  clearTimeout(timer)
  // A grandchild that lives on would hold the pipes open, and `close` would never come.
  kill(child)
  await closed
  running.delete(child)
  const seconds = (performance.now() - started) / 1000
  return { code, signal, timedOut, output: Buffer.concat(chunks).toString(), seconds }
}

/** Kills every running test file and what it started. Synchronous, for `exit` handlers. */
export function killAll(): void {
  for (const child of running) kill(child)
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // ESRCH: the whole group is gone already.
  }
}
