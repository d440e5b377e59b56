import { run } from '../support/experiment.ts'
import { transferSteps } from '../support/transfer.ts'
import { s3Reference } from '../support/variants.ts'
import { type Comparison, differences, ratios } from '../support/verdict.ts'
import { type Case, common, phasesOf } from './case.ts'
import {
  accounting,
  carcosaOnS3,
  libStorageWithin,
  s3TransferColumns,
  withBackend,
} from './s3.ts'

/** One upload to S3 in one request, by a process that just started. */
export const s3Large: Case = (bench) =>
  withBackend(bench, 's3-large', async (backend) => {
    const bytes = bench.options.sizes.s3.large
    const { endpoint } = backend
    const variants = [
      s3Reference('relay', { endpoint }),
      s3Reference('lib-storage', { endpoint }),
      s3Reference('bare-s3', { endpoint }),
      await libStorageWithin(bench, 's3_large_within', backend),
      await carcosaOnS3(bench, 's3_large', backend),
    ]
    const phases = phasesOf(bench, 'fresh')
    const steps = transferSteps({ parallel: 1, bytes, compare: 1 })
    const results = await run({
      ...common(bench, 's3-large', variants),
      idleSeconds: 0,
      processesPer: 'round',
      ...steps,
      measure: accounting(backend, steps.measure),
    })
    const measured = { results, phases }
    return [
      {
        name: 's3-large',
        title: `S3: one upload of ${bytes / 2 ** 20} MiB in one PATCH`,
        phases,
        columns: s3TransferColumns,
        results,
        verdicts: [
          ...ratios(measured, comparisons),
          ...differences(measured, memory, 'MiB'),
        ],
        notes: [],
      },
    ]
  })

const of = 'carcosa postgres'

const comparisons: Comparison[] = [
  { ...throughput('lib-storage'), target: { atLeast: 1 } },
  { ...throughput('bare-s3'), target: { atLeast: 1.5 } },
  { ...throughput('carcosa lib-storage'), target: { atLeast: 1 } },
  throughput('relay'),
  { title: `${of} / lib-storage, CPU`, figure: 'cpu', of, against: 'lib-storage' },
]

const memory: Comparison[] = ['lib-storage', 'carcosa lib-storage'].map((against) => ({
  title: `${of} − ${against}, peak RSS`,
  figure: 'peak',
  of,
  against,
  target: { atMost: 0 },
}))

function throughput(against: string): Comparison {
  return { title: `${of} / ${against}, throughput`, figure: 'throughput', of, against }
}
