import { run } from '../support/experiment.ts'
import { transferSteps } from '../support/transfer.ts'
import { carcosa, carcosaStart, oldSpace, reference } from '../support/variants.ts'
import { ratios } from '../support/verdict.ts'
import { type Case, common, phasesOf, transferColumns } from './case.ts'

const uploads = 8

/** Eight uploads at once, each in one PATCH, by a fresh process and by one that idled. */
export const parallel: Case = async (bench) => {
  const bytes = bench.options.sizes.parallel
  const postgres = await bench.postgres()
  const variants = [
    reference('naive'),
    reference('tuned'),
    reference('bare'),
    reference('bare', { flags: [oldSpace], label: 'old-space', extra: true }),
    carcosaStart(),
    carcosaStart({ label: 'sha-256', digest: 'sha-256', extra: true }),
    carcosa({ label: 'postgres', database: await postgres.createDatabase('parallel') }),
  ]
  const phases = phasesOf(bench, 'fresh')
  bench.workspace.expectRoom(variants.length * 2 * uploads * bytes)
  const results = await run({
    ...common(bench, 'parallel', variants),
    processesPer: 'round',
    ...transferSteps({ parallel: uploads, bytes, compare: uploads }),
  })
  return [
    {
      name: 'parallel',
      title: `${uploads} parallel uploads of ${bytes / 2 ** 20} MiB, one PATCH each`,
      phases,
      columns: transferColumns,
      results,
      verdicts: ratios({ results, phases }, comparisons),
      notes: [],
    },
  ]
}

const comparisons = [
  'carcosa start',
  'carcosa postgres',
  'carcosa start sha-256',
].flatMap((of) =>
  ['bare', 'bare old-space'].map((against) => ({
    title: `${of} / ${against}, throughput`,
    figure: 'throughput',
    of,
    against,
    // With the digest it is reported, not judged.
    target: of === 'carcosa start sha-256' ? undefined : { atLeast: 1.4 },
  })),
)
