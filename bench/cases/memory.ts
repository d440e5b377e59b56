import { run } from '../support/experiment.ts'
import { transferSteps } from '../support/transfer.ts'
import { carcosa, reference } from '../support/variants.ts'
import { differences } from '../support/verdict.ts'
import { type Case, common, phasesOf, transferColumns } from './case.ts'

/** Resident memory while many uploads run at once as fast as they can. */
export const memory: Case = async (bench) => {
  const { parallel, bytes } = bench.options.sizes.memory
  const postgres = await bench.postgres()
  const variants = [
    reference('bare'),
    carcosa({ label: 'postgres', database: await postgres.createDatabase('memory') }),
    carcosa({ extra: true }),
  ]
  const phases = phasesOf(bench, 'fresh')
  bench.workspace.expectRoom(variants.length * parallel * bytes)
  const results = await run({
    ...common(bench, 'memory', variants),
    idleSeconds: 0,
    processesPer: 'round',
    ...transferSteps({ parallel, bytes, compare: bench.options.smoke ? parallel : 8 }),
  })
  return [
    {
      name: 'memory',
      title: `${parallel} parallel uploads of ${bytes / 2 ** 20} MiB`,
      phases,
      columns: transferColumns,
      results,
      verdicts: differences({ results, phases }, comparisons, 'MiB'),
      notes: [],
    },
  ]
}

const comparisons = ['carcosa postgres', 'carcosa'].map((of) => ({
  title: `${of} − bare, peak RSS`,
  figure: 'peak',
  of,
  against: 'bare',
  // The embedded database is part of the process; it is reported, not judged.
  target: of === 'carcosa' ? undefined : { atMost: 64 },
}))
