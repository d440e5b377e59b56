/**
 * ` Did you mean x?` for the candidate nearest to `given`, or an empty string when none is
 * near: at most a third of its letters may differ, or one is how the other begins. Case, `_`
 * and `-` do not count.
 */
export function didYouMean(given: string, candidates: readonly string[]): string {
  const nearest = candidates
    .map((candidate) => ({
      candidate,
      distance: difference(fold(given), fold(candidate)),
    }))
    .sort((a, b) => a.distance - b.distance)[0]
  if (!nearest || nearest.distance > Math.ceil(fold(given).length / 3)) return ''
  return ` Did you mean ${nearest.candidate}?`
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '')
}

function difference(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  if (shorter >= 4 && a.slice(0, shorter) === b.slice(0, shorter)) return 1
  return distance(a, b)
}

/** Levenshtein's: how many letters must be added, removed or replaced. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(at(row, j) + 1, at(next, j - 1) + 1, replaced))
    }
    row = next
  }
  return at(row, b.length)
}

function at(row: number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
