/** True if A and B are the same type, not merely assignable to each other. */
export type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `expectType<Equal<…>>()` that holds. Does nothing when run. */
export function expectType<_Holds extends true>(): void {}
