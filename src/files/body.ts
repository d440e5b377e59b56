import { Readable } from 'node:stream'
import type { ByteRange } from '../../stores/store.ts'

/** A range of bytes and the text sent before it. */
export interface Section {
  prefix: string
  range: ByteRange
}

export interface SectionSource {
  sections: readonly [Section, ...Section[]]
  /** Text sent after the last section. */
  suffix: string
  /** Opens one range for reading. Its rejection fails the body. */
  open(range: ByteRange): Promise<Readable>
  /** The error of a range that yields fewer or more bytes than it has, or breaks off. */
  corrupt(found: string): Error
}

/**
 * One stream of several ranges, opened one after the other as they are read. The first is
 * opened before this returns, so that a file that cannot be opened is an error answer and not
 * a broken body.
 *
 * The body ends only if every range yielded exactly its bytes; otherwise it emits `error`.
 * Destroying it destroys the range being read, even one that is stalled or still opening.
 */
export async function openSections(source: SectionSource): Promise<Readable> {
  const [first, ...rest] = source.sections
  let current: Readable | null = await source.open(first.range)

  const body = new Readable({
    // While a range is being opened nothing is pushed, and nothing needs to be resumed.
    read: () => void current?.resume(),
    destroy(error, done) {
      current?.destroy()
      done(error)
    },
  })

  // A failure before anyone listens must not end the process. It is not lost: whoever pipes or
  // iterates the body later is told, because the stream remembers it.
  body.on('error', () => {})

  const follow = ({ prefix, range }: Section, stream: Readable) => {
    let owed = range.end - range.start + 1
    const fail = (found: string) => body.destroy(source.corrupt(found))
    if (prefix !== '') body.push(prefix, 'latin1')
    stream.on('error', (error) => body.destroy(error))
    stream.on('data', (chunk: Buffer) => {
      owed -= chunk.length
      if (owed < 0) fail(`at least ${-owed} bytes too many`)
      else if (!body.push(chunk)) stream.pause()
    })
    stream.on('end', () => {
      if (owed > 0) return fail(`${owed} bytes too few`)
      current = null
      advance().catch((error) => body.destroy(error))
    })
    // After `end` this says nothing new; without it the read broke off.
    stream.on('close', () => stream.readableEnded || fail('a read that broke off'))
  }

  const advance = async () => {
    const section = rest.shift()
    if (section === undefined) {
      if (source.suffix !== '') body.push(source.suffix, 'latin1')
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
