import type { CarcosaError } from '../shared/errors.ts'
import { declaredTypeOf, normalizeType, unknownType } from '../shared/mime.ts'
import type { NamedRoute, TypeRule } from './definition.ts'
import { kinship } from './kinship.ts'
import { mustShowMagic } from './magic.ts'
import { type Match, ruleFor } from './match.ts'
import { contradicted, sizeProblem } from './problems.ts'

/** A file whose first bytes are here. */
export interface ArrivedFile {
  readonly declaredType: string | null
  readonly name: string | null
  /** Bytes; null while unknown, and then not judged. */
  readonly size: number | null
}

/** What a file turned out to be. */
export interface DetectedVerdict {
  /** TYPE_NOT_ALLOWED, FILE_TOO_LARGE, FILE_TOO_SMALL, or null. */
  readonly error: CarcosaError | null
  /** The type to serve it as. */
  readonly contentType: string
  /** The rule that judged it, not always the one it was announced under; null if none would. */
  readonly rule: TypeRule | null
}

/**
 * Judges a file by its bytes. `detected` is what the detector
 * makes of them, null if it recognises nothing.
 *
 * With `trustedType: 'declared'` only the size is judged. Else bytes that contradict the
 * declaration must themselves be of a type the route takes, and the file is then served as
 * what it is. Where the route took the file as `blob` (or as `application/octet-stream`),
 * nothing was promised and any bytes will do.
 */
export function checkDetected(
  route: NamedRoute,
  file: ArrivedFile,
  detected: string | null,
): DetectedVerdict {
  const name = file.name ?? ''
  const declared = declaredTypeOf(file.declaredType, name)
  const announced = ruleFor(route, file.declaredType ?? '', name)
  const found = normalizeType(detected)

  const judged =
    route.trustedType === 'declared'
      ? { match: announced, contentType: declared ?? found ?? unknownType }
      : judgeBytes(route, { declared, found, announced })
  const { match, contentType } = judged
  const error = match
    ? file.size === null
      ? null
      : sizeProblem(route, match, { name, size: file.size })
    : contradicted(route, name, { declared, detected: found })
  return { error, contentType, rule: match?.rule ?? null }
}

interface Evidence {
  declared: string | null
  found: string | null
  announced: Match | null
}

function judgeBytes(
  route: NamedRoute,
  { declared, found, announced }: Evidence,
): { match: Match | null; contentType: string } {
  if (announced?.kind === 'blob' || announced?.kind === unknownType) {
    return { match: announced, contentType: bestName(declared, found) }
  }
  if (found === null) {
    return declared !== null && !mustShowMagic(declared)
      ? { match: announced, contentType: declared }
      : { match: ruleFor(route, unknownType, ''), contentType: unknownType }
  }
  const asFound = ruleFor(route, found, '')
  const relation = declared === null ? 'stranger' : kinship(declared, found)
  const keepsName =
    relation === 'same' ||
    relation === 'vaguer' ||
    (relation === 'kin' && (asFound === null || asFound.kind === 'blob'))
  return declared !== null && keepsName
    ? { match: announced, contentType: declared }
    : { match: asFound, contentType: found }
}

/** The most telling name that the bytes do not contradict. */
function bestName(declared: string | null, found: string | null): string {
  if (declared === null) return found ?? unknownType
  if (found === null) return mustShowMagic(declared) ? unknownType : declared
  const relation = kinship(declared, found)
  return relation === 'same' || relation === 'vaguer' ? declared : found
}
