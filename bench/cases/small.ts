import { run } from '../support/experiment.ts'
import { smallBytes, smallConnections, smallSteps } from '../support/small-uploads.ts'
import { carcosa, reference } from '../support/variants.ts'
import { ratios } from '../support/verdict.ts'
import { type Case, common, isWanted, loadColumns, phasesOf } from './case.ts'
import { countQueries } from './queries.ts'

/** Many small files by creation-with-upload: the price of row, event and transaction. */
export const small: Case = async (bench) => {
  const uploads = bench.options.sizes.small
  const postgres = await bench.postgres()
  const variants = [
    reference('naive'),
    reference('bare'),
    carcosa({ label: 'postgres', database: await postgres.createDatabase('small') }),
    carcosa({
      label: 'postgres unlimited',
      limited: false,
      database: await postgres.createDatabase('unlimited'),
    }),
    carcosa(),
  ]
  const phases = phasesOf(bench, 'busy')
  const results = await run({
    ...common(bench, 'small', variants),
    processesPer: 'run',
    ...smallSteps({
      uploads,
      database: { postgres, isUsedBy: (name) => name.includes('postgres') },
      compare: bench.options.smoke ? uploads : 100,
    }),
  })
  const queries = isWanted(bench.options, 'carcosa postgres')
    ? await countQueries(bench)
    : { verdicts: [], notes: [] }
  return [
    {
      name: 'small',
      title: `${uploads} uploads of ${smallBytes / 1024} KiB by creation-with-upload, ${smallConnections} at a time`,
      phases,
      columns: loadColumns,
      results,
      verdicts: [
        ...ratios({ results, phases }, [...comparisons, ...limits]),
        ...queries.verdicts,
      ],
      notes: queries.notes,
    },
  ]
}

const limits = ['rate', 'cpu', 'p50'].map((figure) => ({
  title: `carcosa postgres / without rate limits, ${figure}`,
  figure,
  of: 'carcosa postgres',
  against: 'carcosa postgres unlimited',
}))

const comparisons = ['carcosa postgres', 'carcosa'].flatMap((of) =>
  ['rate', 'cpu', 'p50', 'p99'].map((figure) => ({
    title: `${of} / bare, ${figure}`,
    figure,
    of,
    against: 'bare',
    target: of === 'carcosa postgres' && figure === 'rate' ? { atLeast: 0.5 } : undefined,
  })),
)
