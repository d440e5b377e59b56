import { run } from '../support/experiment.ts'
import { smallBytes, smallSteps } from '../support/small-uploads.ts'
import { s3Reference } from '../support/variants.ts'
import { ratios } from '../support/verdict.ts'
import { type Case, common, phasesOf } from './case.ts'
import { accounting, carcosaOnS3, s3LoadColumns, withBackend } from './s3.ts'

const connections = 16
const delayMs = 20

/** Many small files to an S3 as far away as a real one: every request of it costs latency. */
export const s3Small: Case = (bench) =>
  withBackend(bench, 's3-small', async (backend) => {
    const uploads = bench.options.sizes.s3.small
    const { endpoint } = backend
    const postgres = await bench.postgres()
    const variants = [
      s3Reference('relay', { endpoint }),
      s3Reference('lib-storage', { endpoint, extra: true }),
      s3Reference('bare-s3', { endpoint }),
      await carcosaOnS3(bench, 's3_small', backend),
    ]
    await backend.delay(delayMs)
    const phases = phasesOf(bench, 'busy')
    const steps = smallSteps({
      uploads,
      connections,
      database: { postgres, isUsedBy: (name) => name.endsWith('postgres') },
      compare: bench.options.smoke ? uploads : 100,
    })
    const results = await run({
      ...common(bench, 's3-small', variants),
      idleSeconds: 0,
      processesPer: 'run',
      ...steps,
      measure: accounting(backend, steps.measure),
    })
    return [
      {
        name: 's3-small',
        title: `S3: ${uploads} uploads of ${smallBytes / 1024} KiB by creation-with-upload, ${connections} at a time, ${delayMs} ms for each request to S3`,
        phases,
        columns: s3LoadColumns,
        results,
        verdicts: ratios({ results, phases }, comparisons),
        notes: [],
      },
    ]
  })

const comparisons = ['carcosa postgres', 'lib-storage', 'bare-s3'].map((of) => ({
  title: `${of} / relay, uploads per second`,
  figure: 'rate',
  of,
  against: 'relay',
  target: of === 'carcosa postgres' ? { atLeast: 0.8 } : undefined,
}))
