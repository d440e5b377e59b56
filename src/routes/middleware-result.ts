import { type FileInfo, type MiddlewareResult, renamedFiles } from './hooks.ts'

/** What middleware decided about a batch. */
export interface MiddlewareOutcome {
  /** What it returned without `renamedFiles`, after JSON: what the database will hold. */
  readonly metadata: Record<string, unknown>
  /** The name of each file, new or as it was. */
  readonly names: string[]
}

/**
 * Reads what middleware returned for `files`.
 *
 * @throws TypeError if that is not an object that JSON can carry, or if `renamedFiles` has
 * another length than `files`, an empty name, or changes anything but names.
 */
export function readMiddlewareResult(
  result: MiddlewareResult,
  files: readonly FileInfo[],
): MiddlewareOutcome {
  const metadata: unknown = JSON.parse(JSON.stringify(result ?? {}) ?? 'null')
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw new TypeError('Middleware must return an object, which becomes the metadata.')
  }
  return { metadata: { ...metadata }, names: readNames(result?.[renamedFiles], files) }
}

function readNames(renamed: unknown, files: readonly FileInfo[]): string[] {
  if (renamed === undefined) return files.map((file) => file.name)
  if (!Array.isArray(renamed) || renamed.length !== files.length) {
    const count = Array.isArray(renamed) ? renamed.length : 'no'
    throw new TypeError(
      `[renamedFiles] has ${count} entries for ${files.length} files: return one for each, in the same order.`,
    )
  }
  return files.map((file, index) => readName(renamed[index], file, index))
}

function readName(entry: unknown, file: FileInfo, index: number): string {
  const { name, ...rest }: { name?: unknown } = Object(entry)
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`[renamedFiles][${index}] has no name.`)
  }
  const before: Record<string, unknown> = { ...file }
  for (const [key, value] of Object.entries(rest)) {
    if (value === before[key]) continue
    throw new TypeError(
      `[renamedFiles][${index}] sets ${key}: only the name of a file may change.`,
    )
  }
  return name
}
