/** The same things in arrays of `size`, the last one shorter. */
export async function* inBatches<T>(
  items: AsyncIterable<T> | Iterable<T>,
  size: number,
): AsyncGenerator<T[]> {
  let batch: T[] = []
  for await (const item of items) {
    if (batch.push(item) < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** The same things one by one, as `concurrently` takes them. */
export async function* oneByOne<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}
