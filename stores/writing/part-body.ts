import { Readable } from 'node:stream'

/** The bytes of a part; they can be read again for another try. */
export interface PartBody {
  readonly length: number
  /** In one piece if they are in memory as such. */
  read(): Buffer | Readable
}

const headBytes = 4100

/** Bytes that were staged before those that are `here`. */
export function joinedBody(
  length: number,
  staged: Buffer[],
  here: () => Buffer | Readable,
): PartBody {
  if (staged.length === 0) return { length, read: here }
  return { length, read: () => joined(staged, here()) }
}

function joined(staged: Buffer[], here: Buffer | Readable): Buffer | Readable {
  if (Buffer.isBuffer(here)) return Buffer.concat([...staged, here])
  return Readable.from(
    (async function* () {
      yield* staged
      yield* here
    })(),
    { objectMode: false },
  )
}

/** The first `length` bytes of a body. */
export function slice(body: PartBody, length: number): PartBody {
  const read = () => {
    const all = body.read()
    return Buffer.isBuffer(all)
      ? all.subarray(0, length)
      : Readable.from(firstBytes(all, length), { objectMode: false })
  }
  return { length, read }
}

async function* firstBytes(stream: Readable, length: number): AsyncGenerator<Buffer> {
  let left = length
  for await (const chunk of stream) {
    yield chunk.subarray(0, left)
    left -= chunk.length
    if (left <= 0) return
  }
}

/** The bytes that say what a file is: the first 4100, or all. */
export async function headOf(body: PartBody): Promise<Buffer> {
  const head = slice(body, Math.min(headBytes, body.length))
  return Buffer.from(await bytesOf(head.read()))
}

/** A copy of the bytes from `from` on. */
export async function tailOf(body: PartBody, from: number): Promise<Buffer> {
  return Buffer.from((await bytesOf(body.read())).subarray(from))
}

export async function bytesOf(bytes: Buffer | Readable): Promise<Buffer> {
  if (Buffer.isBuffer(bytes)) return bytes
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}
