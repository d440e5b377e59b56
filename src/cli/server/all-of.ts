interface SomePage<Row> {
  rows: Row[]
  nextCursor: string | null
}

/** The rows of all pages that `read` gives. */
export async function allOf<Row>(
  read: (cursor: { cursor?: string }) => Promise<SomePage<Row>>,
): Promise<Row[]> {
  const all: Row[] = []
  let cursor: { cursor?: string } = {}
  for (;;) {
    const { rows, nextCursor } = await read(cursor)
    all.push(...rows)
    if (nextCursor === null) return all
    cursor = { cursor: nextCursor }
  }
}
