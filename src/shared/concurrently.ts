/**
 * Runs `work` for every item, at most `limit` at once, and waits for all that was begun. Takes
 * no more items once one was refused, and rejects with the first refusal.
 */
export async function concurrently<T>(
  items: AsyncGenerator<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  // Leaving the loop by an error ends the generator, and with it the loops of the others.
  const worker = async () => {
    for await (const item of items) await work(item)
  }
  const ends = await Promise.allSettled(Array.from({ length: limit }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
