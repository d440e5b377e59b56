import { Readable } from 'node:stream'
import type { ByteRange } from '../../stores/store.ts'
import { relief } from '../shared/relief.ts'

/** A range of bytes and the text sent before it. */
export interface Section {
  prefix: string
  range: ByteRange
}

/**
 * Less would pause and resume the store for every few reads of a socket. What a reader who is
 * slow holds in memory is this and what the store's own stream reads ahead.
 */
const highWaterMark = 384 * 1024

export interface SectionSource {
  sections: readonly [Section, ...Section[]]
  /** Text sent after the last section. */
  suffix: string
  /** Opens one range for reading. Its rejection fails the body. */
  open(range: ByteRange): Promise<Readable>
  /** The error of a range that yields fewer or more bytes than it has, or breaks off. */
  corrupt(found: string): Error
  /** How long a read may yield nothing while somebody waits for it. Default 60 seconds. */
  stallMs?: number
}

/**
 * One stream of several ranges, opened one after the other as they are read. The first is
 * opened before this returns, so that a file that cannot be opened is an error answer and not
 * a broken body.
 *
 * The body ends only if every range yielded exactly its bytes; otherwise it emits `error`, also
 * if the store stalls. Destroying it destroys the range being read, even one that is stalled or
 * still opening. A read that ends because nobody asked for more bytes for long, as those of
 * services do, is opened again where it stopped.
 */
export async function openSections(source: SectionSource): Promise<Readable> {
  const { sections, suffix, corrupt, stallMs = 60_000 } = source
  const [first, ...rest] = sections
  let current: Readable | null = await source.open(first.range)
  /** What is left of a read that ended while nobody asked. */
  let interrupted: ByteRange | null = null
  let isWanted = true

  const body = new Readable({
    highWaterMark,
    read() {
      isWanted = true
      watch.start()
      // While a range is being opened nothing is pushed, and nothing needs to be resumed.
      if (interrupted) take(openNext({ prefix: '', range: interrupted }))
      else current?.resume()
    },
    destroy(error, done) {
      relief.waiting(-highWaterMark)
      watch.stop()
      current?.destroy()
      done(error)
    },
  })
  relief.waiting(highWaterMark)
  const fail = (found: string) => body.destroy(corrupt(found))
  const take = (step: Promise<void>) => void step.catch((error) => body.destroy(error))
  const watch = watchdog(stallMs, () => fail('a read that stalled'))

  // A failure before anyone listens must not end the process. It is not lost: whoever pipes or
  // iterates the body later is told, because the stream remembers it.
  body.on('error', () => {})

  const follow = ({ prefix, range }: Section, stream: Readable) => {
    watch.start()
    if (prefix !== '') body.push(prefix, 'latin1')
    pump(stream, range, {
      push(chunk) {
        relief.passed(chunk.length)
        isWanted = body.push(chunk)
        if (isWanted) watch.start()
        else watch.stop()
        return isWanted
      },
      wrong: fail,
      end() {
        current = null
        take(openNext(rest.shift()))
      },
      broken(error, left) {
        if (stream !== current) return
        current = null
        if (isWanted || !left) body.destroy(error ?? corrupt('a read that broke off'))
        else interrupted = left
      },
    })
  }

  const openNext = async (section: Section | undefined) => {
    interrupted = null
    if (section === undefined) {
      watch.stop()
      if (suffix !== '') body.push(suffix, 'latin1')
      body.push(null)
      return
    }
    const stream = await source.open(section.range)
    // The body may have been given up while the range was being opened.
    if (body.destroyed) return void stream.destroy()
    current = stream
    follow(section, stream)
  }

  follow(first, current)
  return body
}

interface Sink {
  /** False if no more is wanted for now. */
  push(chunk: Buffer): boolean
  /** Every byte of the range was pushed, and no more came. */
  end(): void
  /** More or fewer bytes came. */
  wrong(found: string): void
  /** The read ended before its end; `left` is what it did not yield, null if that is nothing. */
  broken(error: Error | null, left: ByteRange | null): void
}

/** Reads one range into `to`, which resumes the stream when it wants more. */
function pump(stream: Readable, range: ByteRange, to: Sink): void {
  let { start } = range
  const { end } = range
  const onBreak = (error: Error | null) =>
    to.broken(error, start > end ? null : { start, end })
  stream.on('error', onBreak)
  stream.on('data', (chunk: Buffer) => {
    start += chunk.length
    if (start > end + 1) to.wrong(`at least ${start - end - 1} bytes too many`)
    else if (!to.push(chunk)) stream.pause()
  })
  stream.on('end', () => {
    if (start > end) to.end()
    else to.wrong(`${end + 1 - start} bytes too few`)
  })
  // After `end` this says nothing new; without it the read broke off.
  stream.on('close', () => {
    if (!stream.readableEnded) onBreak(null)
  })
}

/** Calls `bark` when `start` was not called for `ms`, unless `stop` was. */
function watchdog(ms: number, bark: () => void) {
  let timer: NodeJS.Timeout | undefined
  return {
    start() {
      if (timer) timer.refresh()
      else timer = setTimeout(bark, ms)
    },
    stop() {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
