import { type FileInfo, type MiddlewareResult, renamedFiles } from './hooks.ts'

/** What middleware decided about a batch. */
export interface MiddlewareOutcome {
  /** What it returned without `renamedFiles`, after JSON: what the database will hold. */
  readonly metadata: Record<string, unknown>
  /** What is settled for each file: its name, new or as it was, and its labels. */
  readonly files: readonly SettledFile[]
}

export interface SettledFile {
  readonly name: string
  /** Not judged yet: whether they may be kept is for files to say. */
  readonly labels: { readonly customId?: unknown; readonly tags?: unknown }
}

/**
 * Reads what middleware returned for `files`.
 *
 * @throws TypeError if that is not an object that JSON can carry, or if `renamedFiles` has
 * another length than `files`, an empty name, or changes anything but names and labels.
 */
export function readMiddlewareResult(
  result: MiddlewareResult,
  files: readonly FileInfo[],
): MiddlewareOutcome {
  const metadata: unknown = JSON.parse(JSON.stringify(result ?? {}) ?? 'null')
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw new TypeError('Middleware must return an object, which becomes the metadata.')
  }
  return { metadata: { ...metadata }, files: readFiles(result?.[renamedFiles], files) }
}

function readFiles(renamed: unknown, files: readonly FileInfo[]): SettledFile[] {
  if (renamed === undefined) return files.map(({ name }) => ({ name, labels: {} }))
  if (!Array.isArray(renamed) || renamed.length !== files.length) {
    const count = Array.isArray(renamed) ? renamed.length : 'no'
    throw new TypeError(
      `[renamedFiles] has ${count} entries for ${files.length} files: return one for each, in the same order.`,
    )
  }
  return files.map((file, index) => readFile(renamed[index], file, index))
}

function readFile(entry: unknown, file: FileInfo, index: number): SettledFile {
  const { name, customId, tags, ...rest }: RenamedEntry = Object(entry)
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`[renamedFiles][${index}] has no name.`)
  }
  const before: Record<string, unknown> = { ...file }
  for (const [key, value] of Object.entries(rest)) {
    if (value === before[key]) continue
    throw new TypeError(
      `[renamedFiles][${index}] sets ${key}: only the name of a file may change, and customId and tags be added.`,
    )
  }
  return {
    name,
    labels: {
      ...(customId !== undefined && { customId }),
      ...(tags !== undefined && { tags }),
    },
  }
}

type RenamedEntry = Partial<Record<'name' | 'customId' | 'tags', unknown>>
