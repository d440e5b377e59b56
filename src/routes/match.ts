import { declaredTypeOf, groupOf, normalizeType, unknownType } from '../shared/mime.ts'
import type { RouteDefinition, TypeRule } from './definition.ts'

/** The entry of `types` that judges a file. */
export interface Match {
  /** Its key: `image`, `image/png`, `blob` … */
  readonly kind: string
  readonly rule: TypeRule
}

/**
 * Which rule judges a file that says it is of `type`. The single type wins over its group;
 * a type that is missing, malformed or `application/octet-stream` is taken from the
 * extension of `name`; `blob` takes what is left. `null` if the route does not accept it.
 */
export function ruleFor(
  route: Pick<RouteDefinition, 'types'>,
  type: string,
  name: string,
): Match | null {
  const declared = declaredTypeOf(type, name)
  const candidates = [
    normalizeType(type) === unknownType ? unknownType : null,
    declared,
    declared && groupOf(declared),
    'blob',
  ]
  for (const kind of candidates) {
    const rule = kind ? route.types[kind] : undefined
    if (kind && rule) return { kind, rule }
  }
  return null
}

/** Bytes of the largest file any rule of the route allows. */
export function maxFileSize(route: Pick<RouteDefinition, 'types'>): number {
  return Math.max(...Object.values(route.types).map((rule) => rule.maxFileSize))
}
