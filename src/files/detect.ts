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
  const pending = new Map<number, (mime: string | null) => void>()
  let worker: Worker | undefined
  let lastId = 0

  function start(): Worker {
    const started = new Worker(workerUrl)
    started.unref()
    started.on('message', ({ id, mime }: { id: number; mime: string | null }) => {
      pending.get(id)?.(mime)
    })
    started.on('error', () => replace(started))
    return started
  }

  // A worker that hangs or dies takes every question it was asked with it.
  function replace(broken: Worker) {
    if (worker !== broken) return
    worker = undefined
    void broken.terminate()
    for (const answer of [...pending.values()]) answer(null)
  }

  return {
    detect(head) {
      if (head.length === 0) return Promise.resolve(null)
      worker ??= start()
      const asked = worker
      const id = ++lastId
      return new Promise((resolve) => {
        const timer = setTimeout(() => replace(asked), timeoutMs)
        pending.set(id, (mime) => {
          clearTimeout(timer)
          pending.delete(id)
          resolve(mime)
        })
        asked.postMessage({ id, head })
      })
    },

    async close() {
      const closing = worker
      if (!closing) return
      replace(closing)
      await closing.terminate()
    },
  }
}

// The sources run without a build step, so the worker has the ending this module has.
const defaultWorker = new URL(
  import.meta.url.endsWith('.ts') ? './detect-worker.ts' : './detect-worker.js',
  import.meta.url,
)
