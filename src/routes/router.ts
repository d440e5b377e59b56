import type { NamedRoute, Route } from './definition.ts'
import { isRoute } from './route.ts'

/** Routes by name, as `createRouter` takes them. */
export type Routes = Readonly<Record<string, Route>>

/**
 * What may be uploaded to a server. `typeof router` is all a client needs for its types.
 */
export interface Router<R extends Routes = Routes> {
  /** Has no prototype: a name that came with a request can be looked up as it is. */
  readonly routes: { readonly [Name in keyof R]: NamedRoute }
  /** Only a type: never there while running. */
  readonly $routes?: R
}

const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/

/**
 * Puts routes under the names clients use, `/uploads/<name>`. Frozen.
 *
 * @throws TypeError for no routes, a name that could not stand in a URL, or a value that
 * `route()` did not make.
 *
 * @example
 * export const router = createRouter({ avatar: route(['image']) })
 * export type Router = typeof router
 */
export function createRouter<const R extends Routes>(routes: R): Router<R> {
  const named: Record<string, NamedRoute> = Object.create(null)
  for (const [name, route] of Object.entries(routes)) {
    if (!namePattern.test(name)) {
      throw new TypeError(
        `Invalid route name ${JSON.stringify(name)}: begin with a letter, then letters, digits, "_" and "-", at most 64 in all.`,
      )
    }
    if (!isRoute(route)) {
      throw new TypeError(`The route "${name}" is not a route: make it with route(…).`)
    }
    named[name] = Object.freeze({ name, ...route.definition })
  }
  if (Object.keys(named).length === 0) {
    throw new TypeError('The router has no routes: give it { name: route(…) }.')
  }
  // Its keys are the keys of `routes`, each of which was just put there.
  return Object.freeze({ routes: Object.freeze(named) as Router<R>['routes'] })
}
