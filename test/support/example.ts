import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const examples = join(import.meta.dirname, '../../examples')

/** An example that was started as its first lines say. */
export interface RunningExample {
  /** Where it listens: `http://127.0.0.1:<port>`. */
  readonly url: string
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<void>
}

/** Runs `node examples/<path>` on a free port, with its data in `dataDir`. */
export async function runExample(path: string, dataDir: string): Promise<RunningExample> {
  const child = spawn(process.execPath, [join(examples, path)], {
    env: { ...process.env, PORT: '0', ...embedded(dataDir) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.add(child)
  const ended = once(child, 'close').then(() => running.delete(child))
  const port = await Promise.race([listening(child), ended.then(() => null)])
  if (port === null) throw new Error(`${path} ended before it listened`)
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Variables under which Carcosa leaves nothing behind but what is in `dataDir`. */
export function embedded(dataDir: string): Record<string, string> {
  return { CARCOSA_DATA_DIR: dataDir, CARCOSA_DATABASE: 'memory://' }
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** The port in what Node prints of `server.address()`. What it prints later is read away. */
function listening({ stdout }: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve) => {
    stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const [, port] = /Listening on .*port: (\d+)/s.exec(said) ?? []
      if (port) resolve(port)
    })
  })
}
