import { typeAliases } from './mime-aliases.ts'
import { extensionsByType } from './mime-extensions.ts'

/** The names that stand for many types, as in `route(['image'])`; `blob` is anything. */
export const typeGroups = ['image', 'video', 'audio', 'pdf', 'text', 'blob'] as const

/** See {@link typeGroups}. */
export type TypeGroup = (typeof typeGroups)[number]

/** What stands for "some bytes" when nobody knows better. */
export const unknownType = 'application/octet-stream'

// `type/subtype` of RFC 6838 §4.2 without the limits on length, which no one keeps.
const essencePattern = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/

const aliases = new Map<string, string>(Object.entries(typeAliases))
const typeByExtension = new Map<string, string>(
  Object.entries(extensionsByType).flatMap(([type, extensions]) =>
    extensions.split(' ').map((extension): [string, string] => [extension, type]),
  ),
)

/**
 * The plain, lower-case, usual spelling of a type: ` TEXT/HTML; charset=x` → `text/html`,
 * `image/jpg` → `image/jpeg`. `null` for what is not a type at all.
 */
export function normalizeType(type: string | null | undefined): string | null {
  const essence = type?.split(';', 1)[0]?.trim().toLowerCase()
  if (!essence || essence.length > 255 || !essencePattern.test(essence)) return null
  return aliases.get(essence) ?? essence
}

/** The group a type belongs to; `null` if only `blob` would hold it. */
export function groupOf(type: string): Exclude<TypeGroup, 'blob'> | null {
  if (type === 'application/pdf') return 'pdf'
  const top = type.slice(0, type.indexOf('/'))
  return top === 'image' || top === 'video' || top === 'audio' || top === 'text'
    ? top
    : null
}

/** The type that the extension of a file name stands for; `null` if it is unknown. */
export function typeOfName(name: string): string | null {
  const dot = name.lastIndexOf('.')
  if (dot < 0) return null
  return typeByExtension.get(name.slice(dot + 1).toLowerCase()) ?? null
}

/** The extensions of a type without the dot, the usual one first; none if unknown. */
export function extensionsOf(type: string): string[] {
  const extensions = new Map<string, string>(Object.entries(extensionsByType)).get(type)
  return extensions?.split(' ') ?? []
}

/**
 * What a client says a file is: the declared type, or, where that says nothing (missing,
 * malformed, `application/octet-stream`), what its name stands for. `null` if neither does.
 */
export function declaredTypeOf(type: string | null, name: string | null): string | null {
  const declared = normalizeType(type)
  if (declared !== null && declared !== unknownType) return declared
  const named = typeOfName(name ?? '')
  return named === unknownType ? null : named
}
