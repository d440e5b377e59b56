import type { Database } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { listFiles } from '../../src/files/list.ts'
import { listings, writeManyFiles } from '../../test/support/many-files.ts'
import type { Samples } from '../support/experiment.ts'
import { quietMachine } from '../support/meter.ts'
import { median } from '../support/statistics.ts'
import { ratios } from '../support/verdict.ts'
import type { Bench, Case } from './case.ts'

/** The first page of files by each filter, of few files and of many. */
export const lists: Case = async (bench) => {
  const { few, many } = bench.options.sizes.lists
  const small = await filled(bench, 'lists_few', few)
  const large = await filled(bench, 'lists_many', many)
  try {
    const samples: Samples = {}
    for (let round = 0; round <= bench.options.rounds; round++) {
      await quietMachine(bench.options.patienceSeconds)
      for (const [what, filters] of Object.entries(listings)) {
        const [ofFew, ofMany] = await timePages([small, large], filters)
        // The first round only warms up.
        if (round === 0) continue
        for (const [name, us] of [
          [nameOf(what, few), ofFew],
          [nameOf(what, many), ofMany],
        ] as const) {
          samples[name] = [...(samples[name] ?? []), { us }]
        }
      }
    }
    const phases = { busy: 'the first page', idle: '' }
    const results = { busy: samples, idle: {} }
    return [
      {
        name: 'lists',
        title: `Pages of 50 files of ${few} and of ${many}, on Postgres, one after the other`,
        phases,
        columns: [{ figure: 'us', title: 'µs each', range: true }],
        results,
        verdicts: ratios(
          { results, phases },
          Object.keys(listings).map((what) => ({
            title: `${what}: of ${many} / of ${few}, time`,
            figure: 'us',
            of: nameOf(what, many),
            against: nameOf(what, few),
            target: { atMost: 2 },
          })),
        ),
        notes: [],
      },
    ]
  } finally {
    await small.close()
    await large.close()
  }
}

const nameOf = (what: string, count: number) => `${what}, of ${count}`

async function filled(bench: Bench, name: string, count: number): Promise<Database> {
  const postgres = await bench.postgres()
  const db = await openDatabase(await postgres.createDatabase(name))
  await migrate(db)
  await writeManyFiles(db, count)
  return db
}

const pages = 40

/** Microseconds of a page of each, the medians of some, asked for in turns. */
async function timePages(
  databases: readonly [Database, Database],
  filters: object,
): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []]
  for (let i = 0; i < pages; i++) {
    for (const which of [0, 1] as const) {
      const began = performance.now()
      await listFiles(databases[which], 'default', filters)
      times[which].push((performance.now() - began) * 1000)
    }
  }
  return [median(times[0]), median(times[1])]
}
