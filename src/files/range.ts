import type { ByteRange } from '../../stores/store.ts'

/**
 * What a `Range` header asks of `size` bytes: the whole (no header, or one to be ignored),
 * something that lies outside, or these parts.
 */
export type RangeVerdict =
  | 'whole'
  | 'unsatisfiable'
  | readonly [ByteRange, ...ByteRange[]]

/**
 * Most ranges one request may name. More is ignored, which RFC 9110 §14.2 allows: the whole
 * file is an answer every client understands, while each range would cost the store a read.
 */
export const maxRanges = 50

/**
 * Reads a `Range` header, RFC 9110 §14.1.2 and §14.2.
 *
 * Parts are clipped to `size`, unsatisfiable ones are dropped, and those that overlap or
 * touch are merged (so that a request never yields more bytes than the file has); they keep
 * the order they were asked in. A malformed header or an unknown unit is ignored. An empty
 * file is always served whole: no `Content-Range` can describe zero bytes, and clients that
 * send `bytes=0-` with every request deserve their empty file.
 */
export function parseRange(header: string | null, size: number): RangeVerdict {
  if (header === null || size === 0) return 'whole'
  const specs = readSpecs(header)
  if (specs === null || specs.length > maxRanges) return 'whole'
  const [first, ...others] = merge(specs.flatMap((spec) => clip(spec, size) ?? []))
  return first ? [first, ...others] : 'unsatisfiable'
}

/** The value of `Content-Range` for a part of `size` bytes. */
export function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end}/${size}`
}

/** As written: `first-last`, `first-` or `-suffix`. */
type Spec = { first: number; last: number } | { suffix: number }

/** The specs of a byte range set; null if it is malformed or of another unit. */
function readSpecs(header: string): Spec[] | null {
  const set = /^bytes=(.*)$/i.exec(header.trim())?.[1]
  if (set === undefined) return null
  // Empty list elements are allowed, RFC 9110 §5.6.1.2.
  const elements = set
    .split(',')
    .map((element) => element.trim())
    .filter(Boolean)
  const specs = elements.map(readSpec)
  return specs.length > 0 && specs.every((spec) => spec !== null) ? specs : null
}

function readSpec(element: string): Spec | null {
  const [, first = '', last = ''] = /^(\d*)-(\d*)$/.exec(element) ?? []
  if (first === '') return last === '' ? null : { suffix: Number(last) }
  // Digits beyond 2^53 lose precision, but they lie outside of any file anyway.
  const spec = { first: Number(first), last: last === '' ? Infinity : Number(last) }
  return spec.last < spec.first ? null : spec
}

/** The bytes a spec means; null if the file has none of them. */
function clip(spec: Spec, size: number): ByteRange | null {
  const start = 'suffix' in spec ? Math.max(0, size - spec.suffix) : spec.first
  const end = 'suffix' in spec ? size - 1 : Math.min(spec.last, size - 1)
  return start <= end ? { start, end } : null
}

/** Joins what overlaps or touches; a joined part stands where its earliest member stood. */
function merge(ranges: readonly ByteRange[]): ByteRange[] {
  const sorted = ranges
    .map((range, position) => ({ ...range, position }))
    .sort((a, b) => a.start - b.start)
  const merged: typeof sorted = []
  for (const range of sorted) {
    const last = merged.at(-1)
    if (last && range.start <= last.end + 1) {
      last.end = Math.max(last.end, range.end)
      last.position = Math.min(last.position, range.position)
    } else {
      merged.push(range)
    }
  }
  return merged
    .sort((a, b) => a.position - b.position)
    .map(({ start, end }) => ({ start, end }))
}
