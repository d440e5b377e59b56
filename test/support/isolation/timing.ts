/** What {@link compare} found: times in ms. */
export interface Comparison {
  /** How often the first took longer than the second: 0.5 if nothing tells them apart. */
  readonly share: number
  readonly medians: readonly [number, number]
}

/** Does two things in turns, in random order, and compares how long each took. */
export async function compare(
  things: readonly [() => Promise<unknown>, () => Promise<unknown>],
  rounds: number,
): Promise<Comparison> {
  const times: [number[], number[]] = [[], []]
  for (let i = 0; i < rounds; i++) {
    const order = Math.random() < 0.5 ? ([0, 1] as const) : ([1, 0] as const)
    for (const which of order) {
      const start = performance.now()
      await things[which]()
      times[which].push(performance.now() - start)
    }
  }
  const [first, second] = times
  return { share: shareOf(first, second), medians: [median(first), median(second)] }
}

/** The statistic of Mann and Whitney, as a share of all pairs. */
function shareOf(first: readonly number[], second: readonly number[]): number {
  let count = 0
  for (const one of first) {
    for (const other of second) count += one > other ? 1 : one === other ? 0.5 : 0
  }
  return count / (first.length * second.length)
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
