import { extensionsOf } from '../shared/mime.ts'
import type { NamedRoute, TypeRule } from './definition.ts'
import type { AnyRouter } from './infer.ts'

/** The body of `GET /routes`: what a client has to know to ask for the right files. */
export interface RouterDescription {
  readonly routes: Readonly<Record<string, RouteDescription>>
}

/** One route as clients see it. Sizes in bytes. */
export interface RouteDescription {
  readonly types: Readonly<Record<string, TypeRule>>
  /** For `<input accept>`; empty where any file may be chosen. */
  readonly accept: string
  /** Whether more than one file may be chosen at once. */
  readonly multiple: boolean
  readonly awaitServerData: boolean
  /** Whether it takes uploads without a credential. */
  readonly public: boolean
  /** Whether an input is looked at. */
  readonly input: boolean
}

/** Tells clients the limits of every route. Nothing in it is secret; hooks and stores are not in it. */
export function describeRouter(router: AnyRouter): RouterDescription {
  const entries = Object.entries(router.routes).map(
    ([name, route]): [string, RouteDescription] => [name, describeRoute(route)],
  )
  return { routes: Object.fromEntries(entries) }
}

function describeRoute(route: NamedRoute): RouteDescription {
  const rules = Object.values(route.types)
  return {
    types: route.types,
    accept: acceptOf(Object.keys(route.types)),
    multiple: rules.length > 1 || rules.some((rule) => rule.maxFileCount > 1),
    awaitServerData: route.awaitServerData,
    public: route.isPublic,
    input: route.inputSchema !== null,
  }
}

/** Single types come with their extensions, which not every system knows by type. */
function acceptOf(kinds: readonly string[]): string {
  if (kinds.includes('blob') || kinds.includes('application/octet-stream')) return ''
  return kinds
    .flatMap((kind) => {
      if (kind === 'pdf') return ['application/pdf']
      if (!kind.includes('/')) return [`${kind}/*`]
      return [kind, ...extensionsOf(kind).map((extension) => `.${extension}`)]
    })
    .join(',')
}
