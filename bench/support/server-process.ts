import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server under test: a process of its own, listening on 127.0.0.1. */
export interface ServerProcess {
  readonly pid: number
  readonly port: number
  /** SIGTERM, and SIGKILL for one that has not left after ten seconds. */
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Starts this very Node with `args` in `directory` and resolves once it accepts connections
 * on `port`. Its output goes to `<directory>.log`. Throws with the end of that output if it exits or is not
 * ready within a minute.
 */
export async function startServer(
  args: readonly string[],
  port: number,
  directory: string,
): Promise<ServerProcess> {
  const log = `${directory}.log`
  const output = openSync(log, 'a')
  const child = spawn(process.execPath, args, {
    cwd: directory,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  running.add(child)
  child.once('exit', () => running.delete(child))

  const deadline = performance.now() + 60_000
  while (!(await accepts(port))) {
    if (child.exitCode === null && performance.now() < deadline) await sleep(25)
    else throw new Error(`${args.join(' ')} did not start:\n${tail(log)}`)
  }
  if (child.pid === undefined) throw new Error(`${args.join(' ')} has no process id`)
  return { pid: child.pid, port, stop: () => stop(child) }
}

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string')
    throw new Error('No port was given')
  return address.port
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await exited
  clearTimeout(timer)
}

function tail(log: string): string {
  return readFileSync(log, 'utf8').split('\n').slice(-30).join('\n')
}
