/** The benchmarks: `node bench/run.ts --help`. */
import { auth } from './cases/auth.ts'
import type { Bench, Case } from './cases/case.ts'
import { events } from './cases/events.ts'
import { head } from './cases/head.ts'
import { large } from './cases/large.ts'
import { leases } from './cases/leases.ts'
import { lists } from './cases/lists.ts'
import { memory } from './cases/memory.ts'
import { mounted } from './cases/mounted.ts'
import { nodes } from './cases/nodes.ts'
import { parallel } from './cases/parallel.ts'
import { readers } from './cases/readers.ts'
import { s3Large } from './cases/s3-large.ts'
import { s3Memory } from './cases/s3-memory.ts'
import { s3Read } from './cases/s3-read.ts'
import { s3Requests } from './cases/s3-requests.ts'
import { s3Small } from './cases/s3-small.ts'
import { small } from './cases/small.ts'
import { type CaseName, type Options, readOptions, usage } from './options.ts'
import { describeMachine } from './support/machine.ts'
import { type Postgres, startPostgres } from './support/postgres.ts'
import { type CaseReport, toText } from './support/report.ts'
import { makeWorkspace } from './support/workspace.ts'

const cases: Record<CaseName, Case> = {
  large,
  parallel,
  mounted,
  small,
  head,
  memory,
  readers,
  events,
  's3-large': s3Large,
  's3-requests': s3Requests,
  's3-small': s3Small,
  's3-read': s3Read,
  's3-memory': s3Memory,
  leases,
  nodes,
  lists,
  auth,
}

// Ctrl-C leaves through `exit`, which ends the servers and removes the files.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => process.exit(130))

const options = readOptions(process.argv.slice(2), process.env)
if (options) await main(options)
else console.log(usage)

async function main(options: Options): Promise<void> {
  const workspace = makeWorkspace(options.directory)
  process.once('exit', () => workspace.remove())
  let postgres: Promise<Postgres> | null = null
  const bench: Bench = {
    options,
    workspace,
    postgres: () => {
      postgres ??= startPostgres(options.databaseUrl, workspace.directory)
      return postgres
    },
  }
  const machine = describeMachine(options, workspace)
  if (!options.json) console.log(`${machine.join('\n')}\n`)
  const reports: CaseReport[] = []
  try {
    for (const name of options.cases) {
      for (const found of await cases[name](bench)) {
        const report = judged(found, options)
        reports.push(report)
        if (!options.json) console.log(`${toText(report)}\n`)
      }
    }
    const database = await (postgres as Promise<Postgres> | null)
    if (options.json) {
      const about = {
        machine,
        postgres: database?.description ?? null,
        options: options.sizes,
      }
      console.log(JSON.stringify({ ...about, reports }, null, 2))
    }
  } finally {
    await (await (postgres as Promise<Postgres> | null))?.stop()
  }
}

/** A smoke run shows that everything works; its ratios are of sizes nobody has targets for. */
function judged(report: CaseReport, { smoke }: Options): CaseReport {
  if (!smoke) return report
  const verdicts = report.verdicts.map((verdict) => ({ ...verdict, reached: null }))
  return { ...report, verdicts }
}
