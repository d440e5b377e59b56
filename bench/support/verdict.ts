import type { Results, Samples } from './experiment.ts'
import { extremes, median } from './statistics.ts'

/** One line below a table: a figure of the whole case, beside its target where it has one. */
export interface Verdict {
  title: string
  value: number
  /** Smallest and largest value of one round. */
  range: [number, number] | null
  unit: string
  target: Target | null
  /** Null without a target, and where a smoke run's sizes mean nothing. */
  reached: boolean | null
}

/** A target is a floor or a ceiling. */
export type Target = { atLeast: number } | { atMost: number }

/** Which figure of which variant, against which other variant. */
export interface Comparison {
  title: string
  figure: string
  of: string
  against: string
  target?: Target
}

/** What the two measurements of a process are called. */
export interface Phases {
  busy: string
  idle: string
}

/** What a case measured, and what it calls its two measurements. */
export interface Measured {
  results: Results
  phases: Phases
}

/**
 * The medians of the per-round ratios `of` / `against`, in both phases. A comparison with a
 * variant that was not measured is left out.
 */
export function ratios(
  measured: Measured,
  comparisons: readonly Comparison[],
): Verdict[] {
  return compare(measured, comparisons, {
    unit: '×',
    relate: (of, against) => of / against,
  })
}

/** The same for the differences `of` − `against`. */
export function differences(
  measured: Measured,
  comparisons: readonly Comparison[],
  unit: string,
): Verdict[] {
  return compare(measured, comparisons, { unit, relate: (of, against) => of - against })
}

/** The same for a figure of one variant, against nothing but its target. */
export function absolutes(
  measured: Measured,
  figures: readonly Omit<Comparison, 'against'>[],
  unit: string,
): Verdict[] {
  const comparisons = figures.map((figure) => ({ ...figure, against: figure.of }))
  return compare(measured, comparisons, { unit, relate: (of) => of })
}

/** A figure measured once. */
export function single(
  { title, target }: Pick<Comparison, 'title' | 'target'>,
  value: number,
  unit: string,
): Verdict {
  return { ...judge({ title, target }, [value], unit), range: null }
}

interface Relation {
  unit: string
  relate(of: number, against: number): number
}

function compare(
  { results, phases }: Measured,
  comparisons: readonly Comparison[],
  { unit, relate }: Relation,
): Verdict[] {
  return (['busy', 'idle'] as const).flatMap((phase) => {
    const samples = results[phase]
    return comparisons
      .filter(({ of, against }) => samples[of] && samples[against])
      .map((comparison) => {
        const title = `${phases[phase]}: ${comparison.title}`
        const values = pairs(samples, comparison).map((pair) => relate(...pair))
        return judge({ title, target: comparison.target }, values, unit)
      })
  })
}

function judge(
  { title, target }: Pick<Comparison, 'title' | 'target'>,
  values: number[],
  unit: string,
): Verdict {
  const value = median(values)
  const verdict = { title, value, range: extremes(values), unit }
  if (!target) return { ...verdict, target: null, reached: null }
  const reached = 'atLeast' in target ? value >= target.atLeast : value <= target.atMost
  return { ...verdict, target, reached }
}

/** The figure of both variants, round by round. */
function pairs(samples: Samples, comparison: Comparison): [number, number][] {
  const { of, against, figure } = comparison
  return (samples[of] ?? []).map((figures, round) => [
    figures[figure] ?? Number.NaN,
    samples[against]?.[round]?.[figure] ?? Number.NaN,
  ])
}
