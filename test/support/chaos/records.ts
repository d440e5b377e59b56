import pg from 'pg'

/** What the database says, asked without our own code. */
export interface Records {
  /** Types of the events of a file. */
  events(id: string): Promise<string[]>
  /** Bytes of an upload that are acknowledged. */
  offset(id: string): Promise<number>
  /** Parts and staged bytes that are remembered of an upload. */
  pieces(id: string): Promise<number>
  close(): Promise<void>
}

export async function openRecords(url: string): Promise<Records> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return {
    async events(id) {
      const { rows } = await client.query<{ type: string }>(
        'select type from carcosa.event where file_id = $1',
        [id],
      )
      return rows.map(({ type }) => type)
    },
    async offset(id) {
      const { rows } = await client.query<{ offset: string }>(
        'select "offset" from carcosa.file where id = $1',
        [id],
      )
      return Number(rows[0]?.offset)
    },
    async pieces(id) {
      const { rows } = await client.query<{ count: string }>(
        `select (select count(*) from carcosa.upload_part where file_id = $1)
          + (select count(*) from carcosa.staged_bytes where file_id = $1) as count`,
        [id],
      )
      return Number(rows[0]?.count)
    },
    close: () => client.end(),
  }
}
