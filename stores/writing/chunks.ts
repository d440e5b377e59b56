import type { ByteSource } from '../store.ts'

/** Reading pauses while this much was read and not yet asked for. */
const aheadBytes = 64 * 1024

export interface Chunks {
  /** Resolves when `next` has something; false once the source yields no more. */
  arrived(): Promise<boolean>
  /**
   * The next chunk, or the first `most` bytes of it, already shown to `onChunk`; null once the
   * source yields no more.
   */
  next(most?: number): Promise<Buffer | null>
  /** Stops reading; what was not asked for is dropped. Idempotent. */
  stop(): void
}

/**
 * What a source yields, chunk by chunk, whatever way it ends: that it breaks off is not told
 * from its end.
 *
 * The chunk that reaches `source.limit` is held back until the source ends. A body that goes
 * on beyond the limit therefore never fills an object: its last chunk is dropped.
 */
export function chunksOf(source: ByteSource): Chunks {
  const { stream, signal, limit } = source
  const queue: Buffer[] = []
  let queued = 0
  let taken = 0
  let held: Buffer | null = null
  let over = false
  let wake: (() => void) | null = null

  const enqueue = (chunk: Buffer) => {
    queue.push(chunk)
    queued += chunk.length
    if (queued >= aheadBytes) stream.pause()
  }
  const onData = (chunk: Buffer) => {
    if (chunk.length === 0) return
    taken += chunk.length
    if (taken < limit) enqueue(chunk)
    else if (taken === limit) held = chunk
    else {
      held = null
      source.onExcess()
      finish()
    }
    wake?.()
  }
  const finish = () => {
    if (over) return
    over = true
    stream.off('data', onData)
    for (const event of ends) stream.off(event, finish)
    signal.removeEventListener('abort', finish)
    // Somebody must listen, or an error that comes later would end the process.
    stream.on('error', ignore)
    stream.pause()
    if (held) enqueue(held)
    wake?.()
  }

  for (const event of ends) stream.on(event, finish)
  signal.addEventListener('abort', finish, { once: true })
  if (signal.aborted || stream.destroyed || stream.readableEnded) finish()
  else stream.on('data', onData)

  const arrived = async () => {
    while (queue.length === 0 && !over) {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      await promise
    }
    wake = null
    return queue.length > 0
  }

  return {
    arrived,
    async next(most) {
      await arrived()
      const first = queue.shift()
      if (!first) return null
      const chunk = first.subarray(0, most)
      if (chunk.length < first.length) queue.unshift(first.subarray(chunk.length))
      queued -= chunk.length
      if (!over && queued < aheadBytes / 2) stream.resume()
      source.onChunk(chunk)
      return chunk
    },
    stop() {
      held = null
      finish()
      queue.length = 0
      queued = 0
    },
  }
}

/** All the ways a stream tells that nothing more comes; Node's requests also say `aborted`. */
const ends = ['end', 'aborted', 'close', 'error'] as const

function ignore() {}
