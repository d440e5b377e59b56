import { Worker } from 'node:worker_threads'

/**
 * Says what a file is by its first bytes.
 *
 * Runs `file-type` in a worker thread with a time limit: type detectors have had endless
 * loops on crafted input (GHSA-mhxj-85r3-2x55), and a loop must cost one file its type,
 * never the server its life.
 */
export interface Detector {
  /** The MIME type, or null if nothing is recognised or it took too long. */
  detect(head: Uint8Array): Promise<string | null>
  close(): Promise<void>
}

export interface DetectorOptions {
  /** Time for one file, in ms. Default 1 000. */
  timeoutMs?: number
  /** Tests pass a worker that misbehaves. */
  workerUrl?: URL
}

export function createDetector(options: DetectorOptions = {}): Detector {
  const { timeoutMs = 1_000, workerUrl = defaultWorker } = options
  let thread: Thread | undefined

  return {
    async detect(head) {
      if (head.length === 0) return null
      thread ??= startThread(workerUrl)
      const asked = thread
      const mime = await asked.ask(head, timeoutMs)
      if (mime !== undefined) return mime
      // It hangs or died, and takes every question it was asked with it.
      if (thread === asked) thread = undefined
      await asked.end()
      return null
    },

    async close() {
      await thread?.end()
      thread = undefined
    },
  }
}

interface Thread {
  /** Undefined if there was no answer in time: the thread is then of no more use. */
  ask(head: Uint8Array, timeoutMs: number): Promise<string | null | undefined>
  end(): Promise<void>
}

type Message = 'ready' | { id: number; mime: string | null }

function startThread(url: URL): Thread {
  const worker = new Worker(url)
  worker.unref()
  const pending = new Map<number, (mime: string | null | undefined) => void>()
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>()
  let lastId = 0

  const giveUp = () => {
    isReady()
    for (const answer of [...pending.values()]) answer(undefined)
  }
  worker.on('message', (message: Message) => {
    if (message === 'ready') isReady()
    else pending.get(message.id)?.(message.mime)
  })
  worker.on('error', giveUp)
  worker.on('exit', giveUp)

  return {
    async ask(head, timeoutMs) {
      // Loading the detector may take longer than the time for one file on a busy machine.
      await ready
      const { promise, resolve } = Promise.withResolvers<string | null | undefined>()
      const id = ++lastId
      pending.set(id, resolve)
      worker.postMessage({ id, head })
      const timer = setTimeout(resolve, timeoutMs)
      const mime = await promise
      clearTimeout(timer)
      pending.delete(id)
      return mime
    },
    async end() {
      await worker.terminate()
    },
  }
}

// The sources run without a build step, so the worker has the ending this module has.
const defaultWorker = new URL(
  import.meta.url.endsWith('.ts') ? './detect-worker.ts' : './detect-worker.js',
  import.meta.url,
)
