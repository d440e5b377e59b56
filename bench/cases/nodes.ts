import { mkdirSync } from 'node:fs'
import {
  type Figures,
  type Samples,
  type Subject,
  startSubject,
} from '../support/experiment.ts'
import { meter, quietMachine } from '../support/meter.ts'
import { cpuSeconds } from '../support/process-stats.ts'
import { sendSmall, smallBytes } from '../support/small-uploads.ts'
import { carcosa } from '../support/variants.ts'
import { ratios } from '../support/verdict.ts'
import { type Case, phasesOf } from './case.ts'

const connections = 32

/** Small files to one node, and to two that share a database and a directory. */
export const nodes: Case = async (bench) => {
  const { options, workspace } = bench
  const postgres = await bench.postgres()
  const database = await postgres.createDatabase('nodes')
  const files = `${workspace.directory}/nodes/files`
  mkdirSync(files, { recursive: true })
  const start = (name: string) =>
    startSubject(
      carcosa({ label: name, database, files }),
      `${workspace.directory}/nodes/${name}`,
      options.flags,
    )
  const both = [await start('one'), await start('two')]
  const groups = { 'one node': both.slice(0, 1), 'two nodes': both }
  const uploads = options.sizes.small
  const samples: Samples = {}
  for (const subject of both) await sendSmall(subject, uploads)
  for (let round = 0; round < options.rounds; round++) {
    for (const [name, subjects] of Object.entries(groups)) {
      await quietMachine(options.patienceSeconds)
      const before = postgres.cpuSeconds()
      const figures = await send(subjects, uploads)
      const databaseCpu = ((postgres.cpuSeconds() - before) / uploads) * 1e6
      samples[name] = [...(samples[name] ?? []), { ...figures, databaseCpu }]
    }
  }
  for (const subject of both) await subject.process.stop()
  const phases = phasesOf(bench, 'busy')
  const results = { busy: samples, idle: {} }
  return [
    {
      name: 'nodes',
      title: `${uploads} uploads of ${smallBytes / 1024} KiB, ${connections} at a time, to one node and to two on one Postgres`,
      phases,
      columns: [
        { figure: 'rate', title: 'per second', range: true },
        { figure: 'cpu', title: 'servers CPU µs each' },
        { figure: 'databaseCpu', title: 'Postgres CPU µs each' },
        { figure: 'client', title: 'client CPU µs each' },
      ],
      results,
      verdicts: ratios({ results, phases }, comparisons),
      notes: [],
    },
  ]
}

const comparisons = ['rate', 'cpu'].map((figure) => ({
  title: `two nodes / one node, ${figure === 'rate' ? 'uploads per second' : 'CPU of the servers per upload'}`,
  figure,
  of: 'two nodes',
  against: 'one node',
}))

/** The same number of uploads and of connections, shared between the nodes. */
async function send(subjects: readonly Subject[], uploads: number): Promise<Figures> {
  const [first] = subjects
  if (!first) throw new TypeError('nobody to send to')
  const others = subjects.slice(1).map(({ process: { pid } }) => pid)
  const before = others.map(cpuSeconds)
  const share = Math.floor(uploads / subjects.length)
  const cost = await meter(first.process.pid, async () => {
    await Promise.all(
      subjects.map((subject) => sendSmall(subject, share, connections / subjects.length)),
    )
  })
  const more = others.reduce((sum, pid, i) => sum + cpuSeconds(pid) - (before[i] ?? 0), 0)
  return {
    rate: uploads / cost.seconds,
    cpu: ((cost.serverCpuSeconds + more) / uploads) * 1e6,
    client: (cost.clientCpuSeconds / uploads) * 1e6,
  }
}
