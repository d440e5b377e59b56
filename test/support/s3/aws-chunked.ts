import { S3Error } from './error.ts'

/**
 * The payload of a body with `content-encoding: aws-chunked`. Its trailers are written to
 * `trailers` by the time it ends.
 */
export async function* unchunked(
  source: AsyncIterable<Buffer>,
  trailers: Record<string, string>,
): AsyncGenerator<Buffer> {
  const input = reader(source)
  for (let size = await sizeOf(input); size > 0; size = await sizeOf(input)) {
    yield* input.take(size)
    await input.line()
  }
  for (let line = await input.line(); line; line = await input.line()) {
    const [name = '', value = ''] = line.split(/:(.*)/s)
    trailers[name.trim().toLowerCase()] = value.trim()
  }
}

interface Reader {
  /** The next line without its end; null when there is none any more. */
  line(): Promise<string | null>
  take(size: number): AsyncGenerator<Buffer>
}

async function sizeOf(input: Reader): Promise<number> {
  // What follows a semicolon, as the signature of the chunk, is not looked at.
  const size = Number.parseInt((await input.line()) ?? '', 16)
  if (Number.isNaN(size)) throw new S3Error('IncompleteBody')
  return size
}

function reader(source: AsyncIterable<Buffer>): Reader {
  const chunks = source[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)

  const more = async () => {
    const { done, value } = await chunks.next()
    if (!done) held = held.length > 0 ? Buffer.concat([held, value]) : value
    return !done
  }
  return {
    async line() {
      let end = held.indexOf('\r\n')
      while (end < 0 && (await more())) end = held.indexOf('\r\n')
      if (end < 0) return null
      const line = held.toString('latin1', 0, end)
      held = held.subarray(end + 2)
      return line
    },
    async *take(size) {
      for (let left = size; left > 0; ) {
        if (held.length === 0 && !(await more())) throw new S3Error('IncompleteBody')
        const taken = held.subarray(0, left)
        held = held.subarray(taken.length)
        left -= taken.length
        yield taken
      }
    },
  }
}
