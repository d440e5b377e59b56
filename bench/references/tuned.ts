import { type FileHandle, open } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { receive } from './receive.ts'
import type { Reference } from './reference.ts'

const batchBytes = 1024 * 1024

/**
 * About the best that plain Node does on one stream: chunks are gathered into batches of
 * 1 MiB and written by `writev`, one batch in flight while the next one is read.
 */
export const tuned: Reference = (directory) =>
  receive(directory, async (req, path) => {
    const file = await open(path, 'w')
    try {
      await writeInBatches(req, file)
    } finally {
      await file.close()
    }
  })

/** Events rather than `for await`: the iterator's `read()` would join, and so copy, chunks. */
function writeInBatches(req: IncomingMessage, file: FileHandle): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let batch: Buffer[] = []
  let gathered = 0
  let writing = false
  let ended = false

  const next = () => {
    if (writing) return
    if (gathered === 0 && ended) return resolve()
    if (gathered < batchBytes && !ended) return
    const buffers = batch
    batch = []
    gathered = 0
    writing = true
    writeAll(file, buffers).then(() => {
      writing = false
      req.resume()
      next()
    }, reject)
  }
  req.on('data', (chunk: Buffer) => {
    batch.push(chunk)
    gathered += chunk.length
    if (gathered < batchBytes) return
    if (writing) req.pause()
    next()
  })
  req.on('end', () => {
    ended = true
    next()
  })
  req.on('error', reject)
  return promise
}

async function writeAll(file: FileHandle, buffers: Buffer[]): Promise<void> {
  const { bytesWritten } = await file.writev(buffers)
  const expected = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
  if (bytesWritten !== expected)
    throw new Error(`Wrote ${bytesWritten} of ${expected} bytes`)
}
