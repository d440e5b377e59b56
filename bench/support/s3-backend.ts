import { mkdirSync } from 'node:fs'
import type { BackendOptions } from '../backends/s3.ts'
import type { Found } from '../backends/s3-objects.ts'
import { checksum } from './content.ts'
import { cpuSeconds } from './process-stats.ts'
import { freePort, startServer } from './server-process.ts'

/** The S3 of a case: a process of its own that counts what it is asked. */
export interface S3Backend {
  readonly endpoint: string
  /** Answers every request this much later. */
  delay(ms: number): Promise<void>
  /** Requests of each operation since the last call. */
  takeCounts(): Promise<Record<string, number>>
  /** CPU seconds so far. */
  cpuSeconds(): number
  stop(): Promise<void>
}

/** Starts a backend whose log goes below `directory`. */
export async function startBackend(directory: string): Promise<S3Backend> {
  mkdirSync(directory, { recursive: true })
  const options: BackendOptions = { port: await freePort() }
  const script = new URL('../backends/s3.ts', import.meta.url).pathname
  const args = [script, JSON.stringify(options)]
  const server = await startServer(args, options.port, directory)
  const endpoint = `http://127.0.0.1:${server.port}`
  return {
    endpoint,
    delay: async (ms) => {
      await ask(endpoint, `delay?ms=${ms}`, 'POST')
    },
    takeCounts: async () => {
      const counts = await ask(endpoint, 'counts')
      await ask(endpoint, 'reset', 'POST')
      return counts as Record<string, number>
    },
    cpuSeconds: () => cpuSeconds(server.pid),
    stop: server.stop,
  }
}

/** The object called `name`, under whatever prefix; throws if there is none. */
export async function findObject(endpoint: string, name: string): Promise<Found> {
  const found = await ask(endpoint, `object?name=${encodeURIComponent(name)}`)
  if (found === null) throw new Error(`The backend has no object of ${name}`)
  return found as Found
}

/** Throws unless the object called `name` consists of the first `size` bytes of the content. */
export async function expectObject(
  endpoint: string,
  name: string,
  size: number,
): Promise<void> {
  const found = await findObject(endpoint, name)
  let offset = 0
  for (const part of found.parts) {
    if (part.crc !== checksum(part.size, offset))
      throw new Error(`${name}: wrong bytes after ${offset}`)
    offset += part.size
  }
  if (offset !== size) throw new Error(`${name}: ${offset} bytes kept of ${size} sent`)
}

// The answers are JSON that backends/s3.ts writes; its types say what.
async function ask(endpoint: string, what: string, method = 'GET'): Promise<unknown> {
  const answer = await fetch(`${endpoint}/_bench/${what}`, { method })
  if (!answer.ok) throw new Error(`${what}: ${answer.status}`)
  return answer.json()
}
