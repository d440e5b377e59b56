import type { Json, Jsonify } from '../../src/routes/json.ts'
import { type Equal, expectType } from './equal.ts'

/** What is left of a type that went through JSON. */

interface User {
  name: string
  born: Date
  nick?: string
  greet(): string
}
interface Tree {
  label: string
  children: Tree[]
}
class Money {
  amount = 1n
  toJSON() {
    return { cents: 100, at: new Date() }
  }
}

expectType<Equal<Jsonify<string | 1 | null | true>, string | 1 | null | true>>()
expectType<Equal<Jsonify<Date>, string>>()
expectType<Equal<Jsonify<Money>, { cents: number; at: string }>>()
expectType<Equal<Jsonify<User>, { name: string; born: string; nick?: string }>>()
expectType<Equal<Jsonify<{ a: undefined; b: () => 1; c: symbol; d: 1 }>, { d: 1 }>>()
expectType<Equal<Jsonify<{ a: Date | undefined }>, { a: string | undefined }>>()
expectType<Equal<Jsonify<Date[]>, string[]>>()
expectType<Equal<Jsonify<[Date, undefined, 1]>, [string, null, 1]>>()
expectType<Equal<Jsonify<(Date | undefined)[]>, (string | null)[]>>()
expectType<Equal<Jsonify<{ n: bigint; s: Date }>, { n: never; s: string }>>()
expectType<Equal<Jsonify<{ a: unknown; d: Date }>, { a: unknown; d: string }>>()
expectType<Equal<Jsonify<Record<string, Date>>, Record<string, string>>>()
expectType<Equal<Jsonify<{ a: Date } | { b: 1 }>, { a: string } | { b: 1 }>>()
expectType<Equal<Jsonify<unknown>, unknown>>()
expectType<Equal<Jsonify<Json>, Json>>()
expectType<
  Equal<Jsonify<{ readonly a: readonly Date[] }>, { readonly a: readonly string[] }>
>()

export const tree = (tree: Jsonify<Tree>): string | undefined => tree.children[0]?.label
