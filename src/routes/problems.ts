import { CarcosaError } from '../shared/errors.ts'
import { normalizeType } from '../shared/mime.ts'
import { formatSize } from '../shared/sizes.ts'
import type { NamedRoute } from './definition.ts'
import type { FileInfo } from './hooks.ts'
import type { Match } from './match.ts'

/** FILE_TOO_LARGE or FILE_TOO_SMALL if `size` is outside the rule. */
export function sizeProblem(
  route: NamedRoute,
  { kind, rule }: Match,
  { name, size }: { name: string; size: number },
): CarcosaError | null {
  const { maxFileSize, minFileSize } = rule
  const details = { route: route.name, type: kind, size, maxFileSize, minFileSize }
  const allows = `the route "${route.name}" takes ${kind === 'blob' ? 'files' : `files of type "${kind}"`} of at`
  if (size > maxFileSize) {
    const [given, limit] = sizes(size, maxFileSize)
    return new CarcosaError('FILE_TOO_LARGE', {
      message: `${subject(name)} has ${given}; ${allows} most ${limit}. Make it smaller, or choose another.`,
      details,
    })
  }
  if (size < minFileSize) {
    const [given, limit] = sizes(size, minFileSize)
    return new CarcosaError('FILE_TOO_SMALL', {
      message: `${subject(name)} has ${given}; ${allows} least ${limit}. Choose another.`,
      details,
    })
  }
  return null
}

/** TYPE_NOT_ALLOWED for what the client says the file is. */
export function notAllowed(route: NamedRoute, file: FileInfo): CarcosaError {
  const type = normalizeType(file.type)
  const is = type
    ? `is declared as ${type}`
    : 'has no declared type, and its name does not tell one'
  return new CarcosaError('TYPE_NOT_ALLOWED', {
    message: `${subject(file.name)} ${is}; ${accepts(route)}`,
    details: { route: route.name, declared: type, allowed: Object.keys(route.types) },
  })
}

/** TYPE_NOT_ALLOWED for what the bytes say the file is. */
export function contradicted(
  route: NamedRoute,
  name: string,
  { declared, detected }: { declared: string | null; detected: string | null },
): CarcosaError {
  const claim = declared
    ? `is declared as ${declared}, but `
    : 'has no declared type, and '
  const truth = detected
    ? `its bytes are ${detected}`
    : 'its bytes are not of such a file'
  return new CarcosaError('TYPE_NOT_ALLOWED', {
    message: `${subject(name)} ${claim}${truth}; ${accepts(route)}`,
    details: { route: route.name, declared, detected, allowed: Object.keys(route.types) },
  })
}

function accepts(route: NamedRoute): string {
  const types = Object.keys(route.types).join(', ')
  return `the route "${route.name}" takes ${types}. Choose a file of such a type.`
}

function subject(name: string): string {
  if (!name) return 'The file'
  const short = name.length > 80 ? `${name.slice(0, 80)}…` : name
  return `The file ${JSON.stringify(short)}`
}

/** Both for people, unless that makes them look the same. */
function sizes(size: number, limit: number): [string, string] {
  const pair: [string, string] = [formatSize(size), formatSize(limit)]
  return pair[0] === pair[1] ? [`${size} bytes`, `${limit} bytes`] : pair
}
