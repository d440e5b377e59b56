import { ByteReader } from '../support/byte-reader.ts'
import { type Figures, run, type Subject } from '../support/experiment.ts'
import { meter } from '../support/meter.ts'
import { residentMiB } from '../support/process-stats.ts'
import { send } from '../support/transfer.ts'
import { carcosa, reference } from '../support/variants.ts'
import { ratios } from '../support/verdict.ts'
import { type Case, common, phasesOf, transferColumns } from './case.ts'

const mib = 2 ** 20
/** Files on disk, which all fit into memory; each reader reads one of them. */
const files = 8

/** Many clients that read whole files from local disk at once. */
export const readers: Case = async (bench) => {
  const { parallel, bytes } = bench.options.sizes.readers
  const postgres = await bench.postgres()
  const variants = [
    reference('naive'),
    carcosa({ label: 'postgres', database: await postgres.createDatabase('readers') }),
  ]
  const phases = phasesOf(bench, 'busy')
  bench.workspace.expectRoom(variants.length * files * bytes)
  const results = await run({
    ...common(bench, 'readers', variants),
    idleSeconds: 0,
    processesPer: 'run',
    ...steps(parallel, bytes),
  })
  return [
    {
      name: 'readers',
      title: `${parallel} readers at once of ${bytes / mib} MiB each`,
      phases,
      columns: transferColumns,
      results,
      verdicts: ratios({ results, phases }, comparisons),
      notes: [],
    },
  ]
}

function steps(parallel: number, bytes: number) {
  const paths = new Map<Subject, string[]>()
  const measure = async (subject: Subject): Promise<Figures> => {
    const { api, process } = subject
    const kept = paths.get(subject) ?? []
    const requests = Array.from({ length: parallel }, (_, i) =>
      api.get(kept[i % files] ?? ''),
    )
    const open = await Promise.all(requests.map(() => ByteReader.open(process.port)))
    const before = residentMiB(process.pid, 'now')
    const expected = { status: 200, from: 0, length: bytes }
    const cost = await meter(process.pid, async () => {
      await Promise.all(
        open.map((reader, i) => reader.read(requests[i] ?? Buffer.alloc(0), expected)),
      )
    })
    for (const reader of open) reader.close()
    return {
      throughput: (parallel * bytes) / mib / cost.seconds,
      cpu: cost.serverCpuSeconds,
      before,
      peak: cost.peakMiB,
      client: cost.clientCpuSeconds,
      others: cost.otherCores,
    }
  }
  return {
    prepare: async (subject: Subject) => {
      paths.set(subject, (await send(subject, { parallel: files, bytes })).paths)
      await measure(subject)
    },
    measure,
    // Every byte was compared as it came.
    check: async () => {},
  }
}

const comparisons = ['throughput', 'cpu', 'peak'].map((figure) => ({
  title: `carcosa postgres / naive, ${figure}`,
  figure,
  of: 'carcosa postgres',
  against: 'naive',
}))
