import { CarcosaError } from '../shared/errors.ts'
import type { NamedRoute } from './definition.ts'
import type { FileInfo } from './hooks.ts'
import { ruleFor } from './match.ts'
import { notAllowed, sizeProblem } from './problems.ts'

export { checkDetected } from './check-detected.ts'
export { parseInput } from './input.ts'
export { maxFileSize, ruleFor } from './match.ts'

/** What is wrong with a batch as a whole, and with each file of it, in the same order. */
export interface BatchVerdict {
  /** TOO_MANY_FILES and TOO_FEW_FILES. */
  readonly errors: CarcosaError[]
  readonly files: (CarcosaError | null)[]
}

/**
 * Judges one file by what the client says of it, before its bytes are here: `null`, or
 * TYPE_NOT_ALLOWED, FILE_TOO_LARGE, FILE_TOO_SMALL. A size that is not known yet (`null`)
 * passes; it is judged by `checkDetected`.
 */
export function checkFile(route: NamedRoute, file: FileInfo): CarcosaError | null {
  const match = ruleFor(route, file.type, file.name)
  if (!match) return notAllowed(route, file)
  const { name, size } = file
  return size === null ? null : sizeProblem(route, match, { name, size })
}

/**
 * Judges files that are uploaded together: each one, and how many there are of each type.
 * `minFileCount` counts only for types the batch has any of, as UploadThing does it; files
 * that are refused for themselves count too, so that a client sees all that is wrong at once.
 */
export function checkBatch(route: NamedRoute, files: readonly FileInfo[]): BatchVerdict {
  const counts = new Map<string, number>()
  for (const file of files) {
    const kind = ruleFor(route, file.type, file.name)?.kind
    if (kind) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  const errors = [...counts].flatMap(([kind, count]) => countProblem(route, kind, count))
  if (files.length === 0) errors.push(emptyBatch(route))
  return { errors, files: files.map((file) => checkFile(route, file)) }
}

function countProblem(route: NamedRoute, kind: string, count: number): CarcosaError[] {
  const { maxFileCount = 0, minFileCount = 0 } = route.types[kind] ?? {}
  const details = { route: route.name, type: kind, count, maxFileCount, minFileCount }
  const given = `The batch has ${count} of type "${kind}"; the route "${route.name}" takes`
  if (count > maxFileCount) {
    const message = `${given} at most ${maxFileCount} at once. Leave out ${count - maxFileCount}, or upload them separately.`
    return [new CarcosaError('TOO_MANY_FILES', { message, details })]
  }
  if (count < minFileCount) {
    const message = `${given} at least ${minFileCount} at once. Add ${minFileCount - count}.`
    return [new CarcosaError('TOO_FEW_FILES', { message, details })]
  }
  return []
}

function emptyBatch(route: NamedRoute): CarcosaError {
  return new CarcosaError('TOO_FEW_FILES', {
    message: `The batch for route "${route.name}" is empty. Give it at least one file.`,
    details: { route: route.name, count: 0, minFileCount: 1 },
  })
}
