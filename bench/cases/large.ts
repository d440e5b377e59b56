import { run } from '../support/experiment.ts'
import { transferSteps } from '../support/transfer.ts'
import { carcosa, carcosaStart, oldSpace, reference } from '../support/variants.ts'
import { type Comparison, ratios, type Target } from '../support/verdict.ts'
import { type Case, common, phasesOf, transferColumns } from './case.ts'

/**
 * One large upload in one PATCH, by a process that just started and by one that idled. The
 * idle one is where V8, its heap small again, can collect garbage at every few megabytes.
 */
export const large: Case = async (bench) => {
  const bytes = bench.options.sizes.large
  const postgres = await bench.postgres()
  const variants = [
    reference('naive'),
    reference('tuned'),
    reference('bare'),
    reference('tuned', { flags: [oldSpace], label: 'old-space', extra: true }),
    reference('bare', { flags: [oldSpace], label: 'old-space', extra: true }),
    carcosaStart(),
    carcosaStart({ label: 'sha-256', digest: 'sha-256' }),
    carcosa({ label: 'postgres', database: await postgres.createDatabase('large') }),
  ]
  const phases = phasesOf(bench, 'fresh')
  bench.workspace.expectRoom(variants.length * 2 * bytes)
  const results = await run({
    ...common(bench, 'large', variants),
    processesPer: 'round',
    ...transferSteps({ parallel: 1, bytes, compare: 1 }),
  })
  return [
    {
      name: 'large',
      title: `One upload of ${bytes / 2 ** 20} MiB in one PATCH`,
      phases,
      columns: transferColumns,
      results,
      verdicts: ratios({ results, phases }, comparisons),
      notes: [],
    },
  ]
}

const comparisons: Comparison[] = [
  ...['', ' old-space'].flatMap((label) => targetsOf('carcosa start', label)),
  ...targetsOf('carcosa postgres', ''),
  ...['bare', 'bare old-space', 'carcosa start'].map((against) => ({
    title: `carcosa start sha-256 / ${against}, throughput`,
    figure: 'throughput',
    of: 'carcosa start sha-256',
    against,
  })),
]

function targetsOf(of: string, label: string): Comparison[] {
  const against = (name: string, figure: string, target: Target) => ({
    title: `${of} / ${name}, ${figure}`,
    figure,
    of,
    against: name,
    target,
  })
  return [
    against(`bare${label}`, 'throughput', { atLeast: 1.8 }),
    against(`tuned${label}`, 'throughput', { atLeast: 0.9 }),
    against(`bare${label}`, 'cpu', { atMost: 0.65 }),
  ]
}
