import type { SweepReport } from '../uploads/sweep.ts'

/** What a run found and did; of a dry run, what it would have done. */
export interface ReconcileReport {
  readonly dryRun: boolean
  /** The age from which on something that nobody knows is collected, in ms. */
  readonly grace: number
  /** What was ended and deleted as every minute; null if one store was asked for. */
  readonly swept: SweepReport | null
  readonly stores: readonly StoreReport[]
  /** Whether something is left that needs a person: files are lost, or a brake or error says so. */
  readonly needsAttention: boolean
}

export interface StoreReport {
  /** Its name in the configuration. */
  readonly store: string
  readonly kind: string
  /** What was begun in the store and belongs to no upload. */
  readonly unfinished: Found & { removed: number }
  /** Objects that belong to no file. */
  readonly orphans: Found & { removed: number; bytes: number; brake: boolean }
  /** Objects that files and copies count on and that are not there; null if not looked for. */
  readonly missing: Missing | null
  /** What went wrong, each with what was being done; more are in the log. */
  readonly errors: { count: number; examples: string[] }
}

interface Found {
  found: number
  /** The first of them. */
  readonly examples: string[]
  /** Why nothing was done, in a sentence for an operator; null if all was. */
  skipped: string | null
}

export interface Missing extends Found {
  /** Files and copies whose objects were asked for. */
  checked: number
  /** Files that are lost. */
  failed: number
  /** Files that live on as a copy in another store. */
  restored: number
  /** Copies without an object, of which the record was dropped. */
  forgotten: number
  brake: boolean
}

const maxExamples = 20

export function emptyReport(
  store: string,
  kind: string,
  options: { missing: boolean },
): StoreReport {
  const found = () => ({ found: 0, examples: [], skipped: null })
  return {
    store,
    kind,
    unfinished: { ...found(), removed: 0 },
    orphans: { ...found(), removed: 0, bytes: 0, brake: false },
    missing: options.missing
      ? { ...found(), checked: 0, failed: 0, restored: 0, forgotten: 0, brake: false }
      : null,
    errors: { count: 0, examples: [] },
  }
}

/** Keeps the first twenty. */
export function addExample(examples: string[], example: string): void {
  if (examples.length < maxExamples) examples.push(example)
}

export function needsAttention({ orphans, missing, errors }: StoreReport): boolean {
  if (errors.count > 0 || orphans.brake) return true
  return missing !== null && (missing.brake || missing.failed > 0)
}
