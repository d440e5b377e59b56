import { parseRouteLimit, type RateRules } from '../shared/rate-limits.ts'
import type { EmptySlots, RouteBuilder, Slots, Step } from './builder.ts'
import type { Route, RouteDefinition } from './definition.ts'
import { invalid, oneOf } from './invalid.ts'
import { parseLifetime, parseOptions, type RouteOptions } from './options.ts'
import { parseRules, type RouteConfig } from './rules.ts'

/** The slots `route()` starts with: whether the client waits depends on its options. */
type FirstSlots<Awaits extends boolean> = Omit<EmptySlots, 'awaits'> & { awaits: Awaits }

/** Step → the steps that get their types from it, if they took a function. */
const earlierThan: Record<Step, readonly Step[]> = {
  input: ['middleware', 'store', 'onUploadComplete', 'onUploadError'],
  public: ['middleware', 'store', 'onUploadComplete', 'onUploadError'],
  middleware: ['store', 'onUploadComplete', 'onUploadError'],
  store: [],
  direct: [],
  mirror: [],
  serve: [],
  expiresIn: [],
  rateLimit: [],
  onUploadComplete: [],
  onUploadError: [],
}

const made = new WeakSet<object>()

/**
 * Declares what may be uploaded, by whom, and what happens then.
 *
 * @param config The types it accepts, with the default limits, `['image', 'pdf']`, or with
 * its own: `{ image: { maxFileSize: '8MB', maxFileCount: 4 } }`.
 * @throws TypeError for an option that is unknown or has a value that is not allowed.
 *
 * @example
 * const avatar = route({ image: { maxFileSize: '4MB' } })
 *   .input(z.object({ albumId: z.string() }))
 *   .middleware(({ principal, input }) => ({ owner: principal.id, album: input.albumId }))
 *   .onUploadComplete(({ file, metadata }) => ({ url: file.url, album: metadata.album }))
 */
export function route<const Awaits extends boolean = true>(
  config: RouteConfig,
  options?: RouteOptions & { readonly awaitServerData?: Awaits },
): RouteBuilder<FirstSlots<Awaits>> {
  return builder(
    {
      types: parseRules(config),
      ...parseOptions(options ?? {}),
      isPublic: false,
      expiresIn: null,
      rateLimit: null,
      store: null,
      isDirect: false,
      mirror: null,
      serve: 'proxy',
      inputSchema: null,
      middleware: null,
      onUploadComplete: null,
      onUploadError: null,
    },
    [],
  )
}

/** Whether `value` was made by `route()`. */
export function isRoute(value: unknown): value is Route {
  return typeof value === 'object' && value !== null && made.has(value)
}

function builder<S extends Slots>(
  definition: RouteDefinition,
  taken: readonly Step[],
): RouteBuilder<S> {
  const take = (step: Step, change: Partial<RouteDefinition>) => {
    checkOrder(step, definition, taken)
    return builder({ ...definition, ...change }, [...taken, step])
  }
  const steps = Object.freeze({
    definition: Object.freeze(definition),
    public: () => take('public', { isPublic: true }),
    input: (schema: unknown) => take('input', { inputSchema: asSchema(schema) }),
    store: (choice: unknown) => take('store', { store: asStore(choice) }),
    direct: () => take('direct', { isDirect: true }),
    mirror: (store: unknown) => take('mirror', { mirror: asMirror(store) }),
    serve: (by: unknown) =>
      take('serve', { serve: oneOf(by, ['proxy', 'redirect'], '.serve()') }),
    expiresIn: (duration: unknown) =>
      take('expiresIn', { expiresIn: parseLifetime(duration, '.expiresIn()') }),
    rateLimit: (limit: unknown) => take('rateLimit', { rateLimit: asRateLimit(limit) }),
    middleware: (fn: unknown) =>
      take('middleware', { middleware: asFunction(fn, '.middleware()') }),
    onUploadComplete: (fn: unknown) =>
      take('onUploadComplete', {
        onUploadComplete: asFunction(fn, '.onUploadComplete()'),
      }),
    onUploadError: (fn: unknown) =>
      take('onUploadError', { onUploadError: asFunction(fn, '.onUploadError()') }),
  })
  made.add(steps)
  // The slots exist only for the compiler: what the steps do is the same for all of them.
  return steps as unknown as RouteBuilder<S>
}

function checkOrder(
  step: Step,
  definition: RouteDefinition,
  taken: readonly Step[],
): void {
  if (taken.includes(step)) {
    throw new TypeError(`.${step}() is already set on this route. Call it once.`)
  }
  const late = earlierThan[step].find(
    (other) =>
      taken.includes(other) &&
      (other !== 'store' || typeof definition.store === 'function'),
  )
  if (late) {
    throw new TypeError(
      `.${step}() must come before .${late}(), whose function gets what it decides. Change the order.`,
    )
  }
}

function asSchema(value: unknown): NonNullable<RouteDefinition['inputSchema']> {
  const isSchema =
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    '~standard' in value
  if (!isSchema)
    throw invalid('.input()', value, 'a Standard Schema such as z.object({ … })')
  return value as NonNullable<RouteDefinition['inputSchema']>
}

function asStore(value: unknown): NonNullable<RouteDefinition['store']> {
  if (typeof value === 'function') return asFunction(value, '.store()')
  if (typeof value === 'string' && value !== '') return value
  throw invalid('.store()', value, 'the name of a store, or a function that returns one')
}

function asMirror(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw invalid('.mirror()', value, 'the name of a store')
}

function asRateLimit(value: unknown): RateRules {
  try {
    return parseRouteLimit(value)
  } catch (error) {
    const allowed = `{ points: 50, per: '1m' }, the same for address, principal or project by name, or false (${(error as Error).message})`
    throw invalid('.rateLimit()', value, allowed)
  }
}

function asFunction<Fn>(value: unknown, what: string): Fn {
  if (typeof value !== 'function') throw invalid(what, value, 'a function')
  // Its parameters are typed by the slots, which the definition does not know.
  return value as Fn
}
