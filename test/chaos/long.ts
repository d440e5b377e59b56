/**
 * The long form of the chaos tests, `npm run chaos [-- --store s3|gcs --runs 50 --seed 1]`: as
 * many uploads, one after the other, each with the next seed. Says at the end what happened, and
 * how to repeat a run that failed. `npm run chaos -- --nodes 2 [--runs 1 --uploads 100]`: so many
 * uploads at once to servers that share a database and a store.
 */
import { parseArgs } from 'node:util'
import { type Kind, kinds, startCampaign } from '../support/chaos/campaign.ts'
import { fleetRun } from '../support/chaos/fleet-run.ts'
import { describePlan, planRun } from '../support/chaos/plan.ts'
import type { Report } from '../support/chaos/run.ts'

const MiB = 1024 ** 2
const { values } = parseArgs({
  options: {
    store: { type: 'string' },
    nodes: { type: 'string' },
    uploads: { type: 'string', default: '100' },
    runs: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    least: { type: 'string', default: String(200 * MiB) },
    most: { type: 'string', default: String(200 * MiB) },
  },
})
const runs = Number(values.runs ?? (values.nodes ? 1 : 50))
const seed = Number(values.seed)
const sizes = { least: Number(values.least), most: Number(values.most) }
const chosen = kinds.filter((kind) => !values.store || kind === values.store)
if (chosen.length === 0) throw new TypeError(`--store is one of ${kinds.join(', ')}`)

let failed = 0
if (values.nodes) failed = await fleets(Number(values.nodes))
else for (const kind of chosen) failed += await campaign(kind)
process.exit(failed === 0 ? 0 : 1)

async function fleets(nodes: number): Promise<number> {
  let failures = 0
  for (let next = seed; next < seed + runs; next++) {
    const plan = { seed: next, nodes, uploads: Number(values.uploads), parallel: 20 }
    console.log(`${nodes} nodes, seed ${next}`)
    await fleetRun({ ...plan, everyMs: 2_000, freezeMs: 10_000 }).then(
      (report) => console.log(`  ${tell(report)}`),
      (error: unknown) => {
        failures++
        console.error(`FAILED\n${error instanceof Error ? error.message : error}`)
      },
    )
  }
  return failures
}

async function campaign(kind: Kind): Promise<number> {
  const { run, stop } = await startCampaign(kind, sizes)
  const reports: Report[] = []
  const failures: number[] = []
  for (let next = seed; next < seed + runs; next++) {
    console.log(`${kind}, ${describePlan(planRun(next, sizes))}`)
    await run(next).then(
      (report) => {
        reports.push(report)
        console.log(`  ${tell(report)}`)
      },
      (error: unknown) => {
        failures.push(next)
        console.error(`FAILED\n${error instanceof Error ? error.message : error}`)
      },
    )
  }
  await stop()
  console.log(`\n${kind}: ${reports.length} of ${runs} runs from seed ${seed} went well`)
  console.log(`  ${tell(sum(reports))}`)
  if (failures.length > 0) console.log(`  failed: seeds ${failures.join(', ')}`)
  return failures.length
}

function sum(reports: readonly Report[]): Report {
  const all = new Map<string, number>()
  for (const report of reports) {
    for (const [what, times] of Object.entries(report)) {
      all.set(what, (all.get(what) ?? 0) + times)
    }
  }
  return Object.fromEntries(all)
}

function tell(report: Report): string {
  return Object.entries(report)
    .map(([what, times]) => `${what} ${times}`)
    .join(', ')
}
