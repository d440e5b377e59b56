import * as fs from 'node:fs'
import type { ByteSource } from './store.ts'

/** A batch is written when it has this many bytes: more gains little and costs cache. */
const batchBytes = 512 * 1024
/** … or when its first byte has waited this long, so that a slow client's bytes are safe too. */
const lingerMs = 5
/** Reading pauses while this much waits to be written: the bound on memory per upload. */
const pauseBytes = 2 * batchBytes

/**
 * Writes everything `source` yields to `fd`, from `position` on, and resolves with the
 * position after the last byte written.
 *
 * One `writev` of many chunks is in flight while the next are read: the cost of writing a
 * file is the thread-pool round trip per call, not the bytes. A source that breaks off is
 * not an error: what arrived is flushed first.
 *
 * The chunk that reaches `source.limit` is held back until the source ends. A body that goes
 * on beyond the limit therefore never leaves a full-length object behind: its last chunk is
 * dropped and the upload stays unfinished.
 *
 * Rejects with the file system's error; bytes of earlier batches are then in the file.
 */
export function append(
  fd: number,
  position: number,
  source: ByteSource,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const { stream, limit, signal } = source
    let queue: Buffer[] = []
    let queued = 0
    let taken = 0
    let held: Buffer | null = null
    let writing = false
    let over = false
    let failure: unknown
    let linger: NodeJS.Timeout | undefined

    const flush = () => {
      if (writing || failure) return
      if (queued === 0) {
        if (over) settle()
        return
      }
      const batch = queue
      const bytes = queued
      queue = []
      queued = 0
      writing = true
      writeAll(fd, batch, bytes, position, (error, written) => {
        writing = false
        position += written
        if (error) return fail(error)
        source.onStored(position)
        if (over || queued >= batchBytes) flush()
        else if (queued > 0) armLinger()
        if (!over && queued < batchBytes && stream.isPaused()) stream.resume()
      })
    }

    const armLinger = () => {
      if (linger === undefined) linger = setTimeout(onLinger, lingerMs)
    }
    const onLinger = () => {
      linger = undefined
      flush()
    }

    const take = (chunk: Buffer) => {
      source.onChunk(chunk)
      queue.push(chunk)
      queued += chunk.length
      if (queued >= batchBytes) flush()
      else if (!writing) armLinger()
      if (queued >= pauseBytes) stream.pause()
    }

    const onData = (chunk: Buffer) => {
      if (chunk.length === 0) return
      taken += chunk.length
      if (taken > limit) {
        held = null
        source.onExcess()
        return finish()
      }
      if (taken === limit) held = chunk
      else take(chunk)
    }

    // Whatever the reason, the source yields nothing more: keep what arrived.
    const finish = () => {
      if (over) return
      over = true
      detach()
      if (held) {
        source.onChunk(held)
        queue.push(held)
        queued += held.length
      }
      flush()
    }

    const fail = (error: unknown) => {
      failure = error
      over = true
      detach()
      settle()
    }

    const settle = () => {
      clearTimeout(linger)
      if (failure) reject(failure)
      else resolve(position)
    }

    const detach = () => {
      stream.off('data', onData)
      stream.off('end', finish)
      stream.off('aborted', finish)
      stream.off('close', finish)
      stream.off('error', finish)
      signal.removeEventListener('abort', finish)
      stream.on('error', ignore)
      stream.pause()
    }

    stream.on('end', finish)
    stream.on('aborted', finish)
    stream.on('close', finish)
    stream.on('error', finish)
    signal.addEventListener('abort', finish, { once: true })
    if (signal.aborted || stream.destroyed || stream.readableEnded) finish()
    else stream.on('data', onData)
  })
}

type Written = (error: NodeJS.ErrnoException | null, written: number) => void

/** `writev` until every byte is written: the kernel may take fewer than it was offered. */
function writeAll(fd: number, batch: Buffer[], bytes: number, at: number, done: Written) {
  let total = 0
  const next = (buffers: Buffer[]) => {
    fs.writev(fd, buffers, at + total, (error, written) => {
      if (error) return done(error, total)
      total += written
      if (total === bytes) return done(null, total)
      if (written === 0) return done(noProgress(), total)
      next(dropFirst(buffers, written))
    })
  }
  next(batch)
}

function dropFirst(buffers: Buffer[], bytes: number): Buffer[] {
  let skip = bytes
  const rest: Buffer[] = []
  for (const buffer of buffers) {
    if (skip >= buffer.length) {
      skip -= buffer.length
      continue
    }
    rest.push(skip > 0 ? buffer.subarray(skip) : buffer)
    skip = 0
  }
  return rest
}

function noProgress(): NodeJS.ErrnoException {
  return Object.assign(new Error('writev wrote nothing'), { code: 'EIO' })
}

function ignore() {}
