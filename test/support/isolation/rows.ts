/** A row of a table: what everybody is answered. */
export interface Row {
  readonly operation: string
  readonly ok: number
  /** What is asked about; `['']` for nothing in particular. */
  readonly targets: readonly string[]
  /** A cell for each column, of a sign for each target. */
  readonly cells: readonly string[]
  /** The code of a 404 for a target. */
  missing(target: string): string | undefined
}

/** Reads a table as table.ts has them. */
export function rowsOf(table: string): { columns: string[]; rows: Row[] } {
  const [header, ...lines] = table.trim().split('\n').map(partsOf)
  const columns = header?.[3]?.split(/ +/) ?? []
  return { columns, rows: lines.map(rowOf) }
}

function partsOf(line: string): string[] {
  return line.split('|').map((part) => part.trim())
}

function rowOf([operation = '', ok, named = '', cells = '', codes = '']: string[]): Row {
  const targets = named.split(/ +/)
  const all = codes.split(/ +/)
  return {
    operation,
    ok: Number(ok),
    targets,
    cells: cells.split(/ +/),
    missing: (target) => (target === 'within' ? all[1] : all[0]),
  }
}
