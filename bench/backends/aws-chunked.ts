/**
 * Takes the encoding the SDKs put around a body with a trailing checksum: a line with the
 * size in hex and perhaps a signature, the bytes, an empty line; after the chunk of size 0
 * the trailers, which are not looked at. The bytes go to `take` as they come, uncopied.
 */
export function createDechunker(take: (chunk: Buffer) => void): (chunk: Buffer) => void {
  let left = 0
  let line = ''
  let ended = false

  const readLine = (chunk: Buffer, from: number): number => {
    const end = chunk.indexOf(0x0a, from)
    line += chunk.toString('latin1', from, end < 0 ? chunk.length : end)
    if (end < 0) return chunk.length
    const text = line.trim()
    line = ''
    // The end of the line after a chunk's bytes.
    if (text === '') return end + 1
    left = Number.parseInt(text, 16)
    ended = left === 0
    return end + 1
  }

  return (chunk) => {
    for (let at = 0; at < chunk.length && !ended; ) {
      if (left === 0) {
        at = readLine(chunk, at)
        continue
      }
      const bytes = chunk.subarray(at, at + left)
      take(bytes)
      left -= bytes.length
      at += bytes.length
    }
  }
}
