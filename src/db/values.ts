/**
 * How column values arrive in JavaScript, the same on both drivers; keys are type OIDs. Set
 * per connection: a host application may have parsers of its own in the same drivers.
 */
export const parsers: Readonly<Record<number, (text: string) => unknown>> = Object.freeze(
  {
    /** int8 */
    20: parseInt8,
    /** int8[] */
    1016: parseInt8Array,
  },
)

/** pg gives int8 as a string unless told otherwise, PGlite does not. */
function parseInt8(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

/** `{1,NULL,2}`. More dimensions do not occur. */
function parseInt8Array(text: string): (number | bigint | null)[] {
  if (text === '{}') return []
  const items = text.slice(1, -1).split(',')
  return items.map((item) => (item === 'NULL' ? null : parseInt8(item)))
}
