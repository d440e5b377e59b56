import { setTimeout as sleep } from 'node:timers/promises'
import { startSubject } from '../support/experiment.ts'
import { quietMachine } from '../support/meter.ts'
import { sendSmall } from '../support/small-uploads.ts'
import { carcosa } from '../support/variants.ts'
import { single, type Verdict } from '../support/verdict.ts'
import { countWire, type WireCounts } from '../support/wire-counter.ts'
import type { Bench } from './case.ts'

const counted = 320

/**
 * Counts what one small upload asks of Postgres, in a run of its own through a proxy that is
 * not timed. What the server asks on its own account in as much time (polling for jobs) is
 * measured next and taken off.
 */
export async function countQueries(
  bench: Bench,
): Promise<{ verdicts: Verdict[]; notes: string[] }> {
  const { options, workspace } = bench
  const postgres = await bench.postgres()
  const wire = await countWire(await postgres.createDatabase('queries'))
  const variant = carcosa({ label: 'counted', database: wire.url })
  const directory = `${workspace.directory}/small/queries`
  const subject = await startSubject(variant, directory, options.flags)
  try {
    await sendSmall(subject, counted)
    const before = wire.read()
    const began = performance.now()
    await sendSmall(subject, counted)
    await quietMachine(options.patienceSeconds)
    const after = wire.read()
    await sleep(performance.now() - began)
    const idle = wire.read()
    return report(minus(minus(after, before), minus(idle, after)))
  } finally {
    await subject.process.stop()
    await wire.close()
  }
}

function report(counts: WireCounts) {
  const each = (count: number) => count / counted
  const top = [...counts.bySql]
    .filter(([, count]) => each(count) >= 0.01)
    .toSorted(([, a], [, b]) => b - a)
    .map(([sql, count]) => `${each(count).toFixed(2)} × \`${sql}\``)
  return {
    verdicts: [
      single('Postgres round trips per upload', each(counts.roundTrips), '', {
        atMost: 3,
      }),
      single('Postgres statements per upload', each(counts.statements), ''),
    ],
    notes: top,
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
