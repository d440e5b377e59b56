import { setTimeout as sleep } from 'node:timers/promises'
import { startSubject } from '../support/experiment.ts'
import { quietMachine } from '../support/meter.ts'
import { sendSmall } from '../support/small-uploads.ts'
import { carcosa } from '../support/variants.ts'
import { single, type Target, type Verdict } from '../support/verdict.ts'
import { countWire, type WireCounts } from '../support/wire-counter.ts'
import type { Bench } from './case.ts'

const most = 320

/**
 * Counts what one small upload asks of Postgres, in runs of their own through a proxy that is
 * not timed. What the server asks on its own account in as much time (polling for jobs) is
 * measured next and taken off.
 */
export async function countQueries(
  bench: Bench,
): Promise<{ verdicts: Verdict[]; notes: string[] }> {
  const uploads = Math.min(bench.options.sizes.small, most)
  const plain = await count(bench, uploads, { label: 'counted' })
  const callback = await count(bench, uploads, { label: 'callback', callback: true })
  return {
    verdicts: [
      roundTrips('Postgres round trips per upload', plain, { atMost: 3 }),
      roundTrips('Postgres round trips per upload with onUploadComplete', callback),
    ],
    notes: [
      ...statements(plain),
      ...statements(callback).map((line) => `with onUploadComplete: ${line}`),
    ],
  }
}

async function count(
  { options, workspace, postgres }: Bench,
  uploads: number,
  { label, callback }: { label: string; callback?: boolean },
): Promise<WireCounts> {
  const wire = await countWire(await (await postgres()).createDatabase(label))
  const variant = carcosa({ label, callback, database: wire.url })
  const directory = `${workspace.directory}/small/${label}`
  const subject = await startSubject(variant, directory, options.flags)
  try {
    await sendSmall(subject, uploads)
    const before = wire.read()
    const began = performance.now()
    await sendSmall(subject, uploads)
    await quietMachine(options.patienceSeconds)
    const after = wire.read()
    await sleep(performance.now() - began)
    const idle = wire.read()
    return each(minus(minus(after, before), minus(idle, after)), uploads)
  } finally {
    await subject.process.stop()
    await wire.close()
  }
}

function roundTrips(title: string, counts: WireCounts, target?: Target): Verdict {
  return single({ title, target }, counts.roundTrips, '')
}

/** What was executed for each upload, most often first. */
function statements({ bySql }: WireCounts): string[] {
  return [...bySql]
    .filter(([, times]) => times >= 0.01)
    .toSorted(([, a], [, b]) => b - a)
    .map(([sql, times]) => `${times.toFixed(2)} × \`${sql}\``)
}

function each(counts: WireCounts, uploads: number): WireCounts {
  return {
    roundTrips: counts.roundTrips / uploads,
    statements: counts.statements / uploads,
    bySql: new Map([...counts.bySql].map(([sql, times]) => [sql, times / uploads])),
  }
}

function minus(a: WireCounts, b: WireCounts): WireCounts {
  return {
    roundTrips: a.roundTrips - b.roundTrips,
    statements: a.statements - b.statements,
    bySql: new Map(
      [...a.bySql].map(([sql, count]) => [sql, count - (b.bySql.get(sql) ?? 0)]),
    ),
  }
}
