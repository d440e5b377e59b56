import type { Principal } from '../auth/principal.ts'
import type { Duration } from '../shared/durations.ts'
import type { RateLimitChoice } from '../shared/rate-limits.ts'
import type { Route } from './definition.ts'
import type {
  MaybePromise,
  MiddlewareArgs,
  MiddlewareResult,
  renamedFiles,
  StoreChoice,
  UploadCompleteArgs,
  UploadErrorArgs,
} from './hooks.ts'
import type { Jsonify } from './json.ts'
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from './standard-schema.ts'

/** The steps of a builder. Each may be taken once. */
export type Step =
  | 'input'
  | 'public'
  | 'middleware'
  | 'store'
  | 'direct'
  | 'mirror'
  | 'serve'
  | 'expiresIn'
  | 'rateLimit'
  | 'onUploadComplete'
  | 'onUploadError'

/**
 * What a builder knows so far: its one type parameter. A step replaces the slots it fills.
 */
export interface Slots {
  /** Steps taken. */
  steps: Step
  /** Those of them that took a function, whose types the steps before it decided. */
  functions: Step
  /** What the client gives. */
  input: unknown
  /** What the schema makes of it. */
  parsed: unknown
  principal: Principal | null
  /** What the middleware returned, as it comes out of the database. */
  metadata: unknown
  /** What the completion callback returned, as the client gets it. */
  serverData: unknown
  /** Whether the client waits for it. */
  awaits: boolean
}

/** The slots of a route on which no step was taken. */
export interface EmptySlots extends Slots {
  steps: never
  functions: never
  input: undefined
  parsed: undefined
  principal: Principal
  metadata: NoMetadata
  serverData: null
}

/** Metadata of a route whose middleware returned none: an empty object. */
export type NoMetadata = Record<string, never>

/**
 * A route under construction, and a finished route at every step. Immutable: every step
 * returns a new builder.
 *
 * The steps that decide types come first: `.input()` and `.public()`, then `.middleware()`,
 * then the functions that get its result. Out of order or a second time is a compile error
 * that says so, and a TypeError in JavaScript.
 */
export interface RouteBuilder<S extends Slots> extends Route<TypesOf<S>> {
  /**
   * What the client has to send along, checked before anything else runs. Any Standard
   * Schema (Zod, Valibot, ArkType, …) whose input can be written as JSON.
   */
  readonly input: Allowed<
    S,
    'input',
    Step,
    <Schema extends StandardSchemaV1>(
      schema: Schema & JsonInput<SchemaInput<Schema>>,
    ) => Next<S, 'input', { input: SchemaInput<Schema>; parsed: SchemaOutput<Schema> }>
  >

  /** Lets anyone upload: without it a request that no auth provider knows is refused. */
  readonly public: Allowed<
    S,
    'public',
    Step,
    () => Next<S, 'public', { principal: Principal | null }>
  >

  /**
   * Runs after the limits held and before a byte is sent. What it returns is kept with the
   * file as metadata (as JSON). Throw a CarcosaError such as `UPLOAD_REJECTED` to refuse
   * with a message for the client; anything else thrown is reported without its message.
   */
  readonly middleware: Allowed<
    S,
    'middleware',
    'store' | 'onUploadComplete' | 'onUploadError',
    <Result extends MiddlewareResult>(
      fn: (args: MiddlewareArgs<S['principal'], S['parsed']>) => MaybePromise<Result>,
    ) => Next<
      S,
      'middleware',
      { functions: S['functions'] | 'middleware'; metadata: MetadataOf<Result> }
    >
  >

  /** Where the bytes live: the name of a configured store, or a function that chooses one. */
  readonly store: Allowed<
    S,
    'store',
    never,
    <
      Choice extends
        | string
        | ((args: StoreChoice<S['principal'], S['parsed'], S['metadata']>) => string),
    >(
      choice: Choice,
    ) => Next<
      S,
      'store',
      { functions: S['functions'] | (Choice extends string ? never : 'store') }
    >
  >

  /**
   * Lets clients that ask for it send their bytes to the store instead of this server, where
   * the store can (S3, R2). Limits, input and middleware hold as ever, and what arrived is
   * judged at its end: a file of another size than announced is refused and removed.
   */
  readonly direct: Allowed<S, 'direct', never, () => Next<S, 'direct'>>

  /**
   * The name of a second configured store that gets a verified copy of every file soon after it
   * is stored. Readers get the copy when the file's own store fails them.
   */
  readonly mirror: Allowed<S, 'mirror', never, (store: string) => Next<S, 'mirror'>>

  /**
   * Who sends the bytes to readers: this server (`proxy`, the default), or the store itself
   * after a redirect, where it can sign URLs (S3, R2, GCS) and what it sends is harmless
   * without the headers that only this server sets. Everything else stays with the server.
   */
  readonly serve: Allowed<
    S,
    'serve',
    never,
    (by: 'proxy' | 'redirect') => Next<S, 'serve'>
  >

  /** How long an unfinished upload is kept: `'2 days'`, or milliseconds. */
  readonly expiresIn: Allowed<
    S,
    'expiresIn',
    never,
    (duration: Duration) => Next<S, 'expiresIn'>
  >

  /**
   * How often uploads to this route may be created, instead of what the server allows: a limit for
   * each address and each principal, `{ points: 50, per: '1m' }`; limits by name,
   * `{ principal: { points: 50, per: '1m' } }`; or `false` for none. They are counted apart from
   * other routes.
   */
  readonly rateLimit: Allowed<
    S,
    'rateLimit',
    never,
    (limit: RateLimitChoice) => Next<S, 'rateLimit'>
  >

  /**
   * Runs on the server when the file is stored. What it returns reaches the client as
   * `serverData` (as JSON). It is run again if it throws or the process dies: give
   * `idempotencyKey` to what must happen once.
   */
  readonly onUploadComplete: Allowed<
    S,
    'onUploadComplete',
    never,
    <Result>(
      fn: (
        args: UploadCompleteArgs<Jsonify<S['parsed']>, S['metadata']>,
      ) => MaybePromise<Result>,
    ) => Next<
      S,
      'onUploadComplete',
      {
        functions: S['functions'] | 'onUploadComplete'
        serverData: ServerDataOf<Result>
      }
    >
  >

  /** Runs when an upload that was begun will not arrive. What it returns is ignored. */
  readonly onUploadError: Allowed<
    S,
    'onUploadError',
    never,
    (
      fn: (args: UploadErrorArgs<S['metadata']>) => unknown,
    ) => Next<S, 'onUploadError', { functions: S['functions'] | 'onUploadError' }>
  >
}

/** `Method`, or a sentence that the compiler shows in its place. */
type Allowed<
  S extends Slots,
  Name extends Step,
  Before extends Step,
  Method,
> = Name extends S['steps']
  ? Mistake<`.${Name}() is already set on this route`>
  : [Extract<S['functions'], Before>] extends [never]
    ? Method
    : Mistake<`.${Name}() must come before .${Extract<S['functions'], Before>}()`>

/** Cannot be called. An object, because the compiler shows mere text as `String`. */
export interface Mistake<Sentence extends string> {
  readonly mistake: Sentence
}

/** The builder after step `Name` changed some slots. */
type Next<S extends Slots, Name extends Step, Change = unknown> =
  Changed<S, Name, Change> extends infer After extends Slots ? RouteBuilder<After> : never

type Changed<S extends Slots, Name extends Step, Change> = {
  [Slot in keyof Slots]: Slot extends 'steps'
    ? S['steps'] | Name
    : Slot extends keyof Change
      ? Change[Slot]
      : S[Slot]
}

/** What clients can know of a route with these slots. */
type TypesOf<S extends Slots> = {
  input: S['input']
  metadata: S['metadata']
  serverData: S['awaits'] extends true
    ? S['serverData']
    : S['awaits'] extends false
      ? null
      : S['serverData'] | null
}

/** Refuses a schema whose input the client could not send: a Date, a Map, a File. */
type JsonInput<Input> = [Input, Jsonify<Input>] extends [
  Jsonify<Input> | undefined,
  Input,
]
  ? unknown
  : 'the input of this schema cannot be sent as JSON'

// biome-ignore lint/suspicious/noConfusingVoidType: what a function without return returns
type Nothing = void | undefined

type MetadataOf<Result> = [Result] extends [Nothing]
  ? NoMetadata
  :
      | Jsonify<WithoutRenamed<Exclude<Result, Nothing>>>
      | ([Extract<Result, Nothing>] extends [never] ? never : NoMetadata)

type WithoutRenamed<Result> = typeof renamedFiles extends keyof Result
  ? Omit<Result, typeof renamedFiles>
  : Result

type ServerDataOf<Result> = unknown extends Result
  ? Result
  :
      | Jsonify<Exclude<Result, Nothing>>
      | ([Extract<Result, Nothing>] extends [never] ? never : null)
