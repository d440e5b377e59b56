/**
 * What is left of a `T` that went through JSON, as hook results do on their way through the
 * database and to the client: a Date arrives as a string, functions, symbols and undefined
 * properties are gone, in arrays they are null. A bigint cannot go: `never`.
 */
export type Jsonify<T> = unknown extends T
  ? T // unknown and any stay what they are
  : [T] extends [Json]
    ? T // and no walk through types that contain themselves
    : T extends { toJSON(...args: never[]): infer Result }
      ? Jsonify<Result>
      : T extends Dropped | bigint
        ? never
        : T extends readonly unknown[]
          ? { [Index in keyof T]: JsonElement<T[Index]> }
          : T extends object
            ? JsonObject<T>
            : never

/** What JSON carries as it is. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json }

/** What JSON.stringify leaves out without a word. */
type Dropped = undefined | symbol | ((...args: never[]) => unknown)

type JsonElement<T> = unknown extends T
  ? T
  : Jsonify<Exclude<T, Dropped>> | ([Extract<T, Dropped>] extends [never] ? never : null)

type JsonObject<T> = {
  [Key in keyof T as KeepKey<Key, T[Key]>]:
    | Jsonify<Exclude<T[Key], Dropped>>
    | Extract<T[Key], undefined>
}

type KeepKey<Key, Value> = Key extends symbol
  ? never
  : unknown extends Value
    ? Key
    : [Exclude<Value, Dropped>] extends [never]
      ? never
      : Key
