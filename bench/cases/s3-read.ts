import { ByteReader } from '../support/byte-reader.ts'
import { type Figures, run, type Subject } from '../support/experiment.ts'
import { meter } from '../support/meter.ts'
import type { S3Backend } from '../support/s3-backend.ts'
import { percentile } from '../support/statistics.ts'
import { send } from '../support/transfer.ts'
import { s3Reference } from '../support/variants.ts'
import { type Comparison, ratios } from '../support/verdict.ts'
import { type Case, common, phasesOf } from './case.ts'
import { carcosaOnS3, withBackend } from './s3.ts'

const mib = 2 ** 20
const shortReads = 100
const shortBytes = 64 * 1024
const delayMs = 20

/** Reading one large object of S3 through the server: whole, a range, many short ranges. */
export const s3Read: Case = (bench) =>
  withBackend(bench, 's3-read', async (backend) => {
    const bytes = bench.options.sizes.s3.read
    const { endpoint } = backend
    const variants = [
      s3Reference('sdk-pipe', { endpoint }),
      await carcosaOnS3(bench, 's3_read', backend),
    ]
    const phases = phasesOf(bench, 'busy')
    const results = await run({
      ...common(bench, 's3-read', variants),
      idleSeconds: 0,
      processesPer: 'run',
      ...steps(backend, bytes),
    })
    return [
      {
        name: 's3-read',
        title: `S3: reads of an object of ${bytes / mib} MiB; time to the first byte of ${shortReads} ranges of ${shortBytes / 1024} KiB`,
        phases,
        columns,
        results,
        verdicts: ratios({ results, phases }, comparisons),
        notes: [],
      },
    ]
  })

function steps(backend: S3Backend, bytes: number) {
  const paths = new Map<Subject, string>()
  const pathOf = (subject: Subject) => paths.get(subject) ?? ''
  const measure = async (subject: Subject): Promise<Figures> => {
    const whole = await readOnce(subject, subject.api.get(pathOf(subject)), {
      status: 200,
      from: 0,
      length: bytes,
    })
    const start = bytes / 4 + 12_345
    const end = start + bytes / 2 - 1
    const request = subject.api.get(pathOf(subject), { start, end })
    const range = await readOnce(subject, request, {
      status: 206,
      from: start,
      length: bytes / 2,
    })
    const near = await readShort(subject, pathOf(subject), bytes)
    await backend.delay(delayMs)
    const far = await readShort(subject, pathOf(subject), bytes)
    await backend.delay(0)
    return {
      whole: whole.throughput,
      range: range.throughput,
      cpu: whole.cost.serverCpuSeconds,
      peak: Math.max(whole.cost.peakMiB, range.cost.peakMiB),
      client: whole.cost.clientCpuSeconds,
      near,
      far,
    }
  }
  return {
    prepare: async (subject: Subject) => {
      const sent = await send(subject, { parallel: 1, bytes })
      paths.set(subject, sent.paths[0] ?? '')
      await measure(subject)
    },
    measure,
    check: (subject: Subject) => subject.api.check(pathOf(subject), bytes),
  }
}

async function readOnce(
  { process }: Subject,
  request: Buffer,
  expected: { status: number; from: number; length: number },
) {
  const reader = await ByteReader.open(process.port)
  const cost = await meter(process.pid, async () => {
    await reader.read(request, expected)
  })
  reader.close()
  return { throughput: expected.length / mib / cost.seconds, cost }
}

/** The median time to the first byte in ms, of ranges all over the object. */
async function readShort({ api, process }: Subject, path: string, bytes: number) {
  const reader = await ByteReader.open(process.port)
  const times: number[] = []
  for (let index = 0; index < shortReads; index++) {
    const start = Math.floor(((bytes - shortBytes) / shortReads) * index)
    const request = api.get(path, { start, end: start + shortBytes - 1 })
    const expected = { status: 206, from: start, length: shortBytes }
    times.push((await reader.read(request, expected)).firstByteMs)
  }
  reader.close()
  return percentile(times, 0.5)
}

const columns = [
  { figure: 'whole', title: 'whole, MiB/s', range: true },
  { figure: 'range', title: 'half of it, MiB/s', range: true },
  { figure: 'near', title: 'first byte, ms', digits: 2 },
  { figure: 'far', title: `first byte at ${delayMs} ms per request, ms`, digits: 2 },
  { figure: 'cpu', title: 'server CPU s, whole', digits: 2 },
  { figure: 'peak', title: 'peak RSS, MiB' },
  { figure: 'client', title: 'client CPU s, whole', digits: 2 },
]

const comparisons: Comparison[] = [
  { ...comparison('whole', 'whole object, throughput'), target: { atLeast: 0.9 } },
  { ...comparison('range', 'range, throughput'), target: { atLeast: 0.9 } },
  { ...comparison('near', 'time to the first byte'), target: { atMost: 1.1 } },
  {
    ...comparison('far', `time to the first byte at ${delayMs} ms per request`),
    target: { atMost: 1.1 },
  },
]

function comparison(figure: string, what: string): Comparison {
  const of = 'carcosa postgres'
  return { title: `${of} / sdk-pipe, ${what}`, figure, of, against: 'sdk-pipe' }
}
