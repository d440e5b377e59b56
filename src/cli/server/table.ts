/** Rows under titles, in columns as wide as they must be; the last one is not filled up. */
export function table(titles: readonly string[], rows: readonly string[][]): string {
  const all = [titles, ...rows]
  const widths = titles.map((_, at) =>
    Math.max(...all.map((row) => row[at]?.length ?? 0)),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd()
  return `${all.map(line).join('\n')}\n`
}
