import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const bin = join(import.meta.dirname, '../../bin/carcosa.ts')

/** How a command ended. */
export interface Outcome {
  /** Exit code; null if a signal killed it. */
  code: number | null
  out: string
  err: string
}

export interface CommandOptions {
  /** Default: an empty directory that is removed with this process. */
  cwd?: string
  /** Added to the environment of this process. */
  env?: Record<string, string>
  /** Flags of Node. Default: the ones of `npm start`. */
  nodeArgs?: string[]
}

/** A `carcosa` command that is running in a process of its own. */
export interface Command {
  readonly child: ChildProcess
  readonly cwd: string
  /** Resolves with what it printed once standard output or error matches. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>
  /** Resolves when it has ended. */
  readonly ended: Promise<Outcome>
}

/** Starts `carcosa ...args`. Whatever still runs when this process ends is killed. */
export function command(args: string[], options: CommandOptions = {}): Command {
  const cwd = options.cwd ?? directory()
  const nodeArgs = options.nodeArgs ?? ['--initial-old-space-size=256']
  const child = spawn(process.execPath, [...nodeArgs, bin, ...args], {
    cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.err += text
  })
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return { code, ...said }
  })
  return { child, cwd, ended, printed: (pattern) => printed(child, said, pattern) }
}

/** Runs `carcosa ...args` to its end. */
export function run(args: string[], options?: CommandOptions): Promise<Outcome> {
  return command(args, options).ended
}

export interface RunningServer extends Command {
  readonly url: string
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<Outcome>
}

/** `carcosa start` on a free port, once it accepts connections. */
export async function startServer(
  args: string[] = [],
  options?: CommandOptions,
): Promise<RunningServer> {
  const server = command(['start', '--port', '0', ...args], options)
  const [, url = ''] = await server.printed(/listening on (http\S+)/)
  const stop = () => {
    server.child.kill('SIGTERM')
    return server.ended
  }
  return { ...server, url, stop }
}

/** An empty directory with these files, removed with this process. */
export function directory(files: Record<string, string> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'carcosa-command-'))
  directories.push(path)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

const running = new Set<ChildProcess>()
const directories: string[] = []

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const path of directories) rmSync(path, { recursive: true, force: true })
})

function printed(
  child: ChildProcess,
  said: { out: string; err: string },
  pattern: RegExp,
): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const match = said.out.match(pattern) ?? said.err.match(pattern)
      if (match) resolve(match)
    }
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    child.once('close', (code) =>
      reject(
        new Error(`it ended with ${code} before it printed ${pattern}: ${said.err}`),
      ),
    )
    look()
  })
}
