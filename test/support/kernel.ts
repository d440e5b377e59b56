import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** Functions of Node with a callback, in whose place a test can put its own. */
export type Replaceable = 'writev' | 'fdatasync' | 'fsync' | 'open'

export type Call = (...args: never[]) => void

const real = new Map<Replaceable, Call>()

/**
 * Puts `make(real)` in place of a function of `node:fs`, everywhere in this process: what a
 * kernel or a disk may do to us is done there. `restoreKernel` after each test takes it back.
 */
export function replaceKernel<Name extends Replaceable>(
  name: Name,
  make: (original: (typeof fs)[Name]) => Call,
): void {
  const original = fs[name]
  if (!real.has(name)) real.set(name, original)
  Object.assign(fs, { [name]: make(original) })
  syncBuiltinESMExports()
}

export function restoreKernel(): void {
  Object.assign(fs, Object.fromEntries(real))
  real.clear()
  syncBuiltinESMExports()
}

function kernelError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code })
}

/** A call that fails with what the kernel would say. */
export function failing(code: string): Call {
  return (...args: unknown[]) => {
    // The callback is the last argument of every one of them.
    const done = args.at(-1) as (error: Error) => void
    setImmediate(done, kernelError(code))
  }
}
