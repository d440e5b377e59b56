import { run } from '../support/experiment.ts'
import { transferSteps } from '../support/transfer.ts'
import { s3Reference } from '../support/variants.ts'
import { absolutes } from '../support/verdict.ts'
import { type Case, common, phasesOf } from './case.ts'
import { accounting, carcosaOnS3, s3TransferColumns, withBackend } from './s3.ts'

/** Resident memory while many uploads to S3 run at once as fast as they can. */
export const s3Memory: Case = (bench) =>
  withBackend(bench, 's3-memory', async (backend) => {
    const { parallel, bytes } = bench.options.sizes.memory
    const { endpoint } = backend
    const variants = [
      s3Reference('lib-storage', { endpoint, extra: true }),
      s3Reference('bare-s3', { endpoint, extra: true }),
      await carcosaOnS3(bench, 's3_memory', backend),
    ]
    const phases = phasesOf(bench, 'fresh')
    const steps = transferSteps({ parallel, bytes, compare: parallel })
    const results = await run({
      ...common(bench, 's3-memory', variants),
      idleSeconds: 0,
      processesPer: 'round',
      ...steps,
      measure: accounting(backend, steps.measure),
    })
    return [
      {
        name: 's3-memory',
        title: `S3: ${parallel} parallel uploads of ${bytes / 2 ** 20} MiB`,
        phases,
        columns: s3TransferColumns,
        results,
        verdicts: absolutes({ results, phases }, figures, 'MiB'),
        notes: [],
      },
    ]
  })

const figures = ['carcosa postgres', 'lib-storage', 'bare-s3'].map((of) => ({
  title: `${of}, peak RSS`,
  figure: 'peak',
  of,
  target: of === 'carcosa postgres' ? { atMost: 512 } : undefined,
}))
