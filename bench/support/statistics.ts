/** The middle value; the mean of the two middle ones for an even count. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  if (sorted.length % 2 === 1) return upper
  return ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The value below which `share` (0 to 1) of all values lie, nearest rank. NaN for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = Math.max(Math.ceil(share * sorted.length) - 1, 0)
  return sorted[rank] ?? Number.NaN
}

/** Smallest and largest value. */
export function extremes(values: readonly number[]): [low: number, high: number] {
  return [Math.min(...values), Math.max(...values)]
}
