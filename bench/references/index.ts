import { bare } from './bare.ts'
import { naive } from './naive.ts'
import type { Reference } from './reference.ts'
import { tuned } from './tuned.ts'

/** The named references every figure is a ratio against. */
export const references = { naive, tuned, bare } satisfies Record<string, Reference>

/** The name of a reference. */
export type ReferenceName = keyof typeof references
