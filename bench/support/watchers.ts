import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { WatchersOptions } from '../servers/watchers.ts'

/** Subscribers that read all they are told, in a process of their own. */
export interface Watchers {
  /** Bytes told to all of them since the last question, and how many were cut off so far. */
  told(): Promise<{ bytes: number; closed: number }>
  close(): Promise<void>
}

/** Resolves when all of them are connected. Throws if one is refused. */
export async function openWatchers(options: WatchersOptions): Promise<Watchers> {
  const script = new URL('../servers/watchers.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const leave = () => child.kill('SIGKILL')
  process.once('exit', leave)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  if ((await lines.next()).value !== 'open') throw new Error('Not all could subscribe')
  return {
    async told() {
      child.stdin.write('told\n')
      return JSON.parse(String((await lines.next()).value))
    },
    async close() {
      child.stdin.end()
      await exited
      process.off('exit', leave)
    },
  }
}
