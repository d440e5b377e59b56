import type { Route, RouteTypes } from './definition.ts'
import type { Router, Routes } from './router.ts'

/** Any router, for helpers that take `typeof router`. */
export type AnyRouter = Router<Routes>

/** The names of the routes of a router. */
export type RouteNames<R extends AnyRouter> = Extract<keyof RoutesOf<R>, string>

/** What a client has to send with a file; undefined where the route has no `.input()`. */
export type RouteInput<R extends AnyRouter, Name extends RouteNames<R>> = TypesAt<
  R,
  Name
>['input']

/**
 * What a client gets back: the result of `.onUploadComplete()` after JSON; null where there
 * is none, or with `awaitServerData: false`.
 */
export type RouteServerData<R extends AnyRouter, Name extends RouteNames<R>> = TypesAt<
  R,
  Name
>['serverData']

/** What the middleware of a route returned, after JSON. */
export type RouteMetadata<R extends AnyRouter, Name extends RouteNames<R>> = TypesAt<
  R,
  Name
>['metadata']

/**
 * The `input` member of a client's options: required where the route has to have one,
 * optional where its schema accepts none, and absent where there is no schema.
 */
export type InputField<R extends AnyRouter, Name extends RouteNames<R>> = [
  RouteInput<R, Name>,
] extends [undefined]
  ? { readonly input?: undefined }
  : undefined extends RouteInput<R, Name>
    ? { readonly input?: RouteInput<R, Name> }
    : { readonly input: RouteInput<R, Name> }

type RoutesOf<R extends AnyRouter> = NonNullable<R['$routes']>

type TypesAt<R extends AnyRouter, Name extends RouteNames<R>> =
  RoutesOf<R>[Name] extends Route<infer Types extends RouteTypes> ? Types : never
