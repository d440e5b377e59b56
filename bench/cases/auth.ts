import { run } from '../support/experiment.ts'
import { smallBytes, smallConnections, smallSteps } from '../support/small-uploads.ts'
import { carcosa } from '../support/variants.ts'
import { ratios } from '../support/verdict.ts'
import { type Case, common, loadColumns, phasesOf } from './case.ts'

/** The price of knowing who uploads: the same small files by nobody, with a key, with a JWT. */
export const auth: Case = async (bench) => {
  const uploads = bench.options.sizes.small
  const postgres = await bench.postgres()
  const variants = [
    carcosa({ label: 'by nobody', database: await postgres.createDatabase('nobody') }),
    ...(await Promise.all(
      (['key', 'jwt'] as const).map(async (credential) =>
        carcosa({
          label: `by ${credential}`,
          credential,
          database: await postgres.createDatabase(`by_${credential}`),
        }),
      ),
    )),
  ]
  const phases = phasesOf(bench, 'busy')
  const results = await run({
    ...common(bench, 'auth', variants),
    processesPer: 'run',
    ...smallSteps({
      uploads,
      database: { postgres, isUsedBy: () => true },
      compare: bench.options.smoke ? uploads : 100,
    }),
  })
  return [
    {
      name: 'auth',
      title: `${uploads} uploads of ${smallBytes / 1024} KiB on Postgres, ${smallConnections} at a time, by whom`,
      phases,
      columns: loadColumns,
      results,
      verdicts: ratios({ results, phases }, comparisons),
      notes: [],
    },
  ]
}

const comparisons = ['carcosa by key', 'carcosa by jwt'].flatMap((of) =>
  ['rate', 'cpu', 'databaseCpu'].map((figure) => ({
    title: `${of} / by nobody, ${figure}`,
    figure,
    of,
    against: 'carcosa by nobody',
    target: figure === 'rate' ? { atLeast: 0.95 } : undefined,
  })),
)
