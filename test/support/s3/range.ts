import { S3Error } from './error.ts'

/** From `start` to before `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * The part that a Range header asks for; null for all, also when the header makes no sense.
 * @throws S3Error if there is nothing of it.
 */
export function rangeOf(header: string | undefined, size: number): ByteRange | null {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || first + last === '') return null
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if (start >= end) throw new S3Error('InvalidRange', 'The range is not satisfiable')
  return { start, end }
}

/** The bytes from `start` to before `end`, without copying them. */
export function slice(chunks: readonly Buffer[], start: number, end: number): Buffer[] {
  const found: Buffer[] = []
  let at = 0
  for (const chunk of chunks) {
    const from = Math.max(start - at, 0)
    const to = Math.min(end - at, chunk.length)
    if (from < to) found.push(chunk.subarray(from, to))
    at += chunk.length
  }
  return found
}
