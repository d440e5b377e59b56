import { setTimeout as sleep } from 'node:timers/promises'
import { openChannel } from '../../src/channel/open.ts'
import type { Database, Statement } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createBus } from '../../src/events/bus.ts'
import { releaseLease, takeLease } from '../../src/files/leases.ts'
import { silentLogger } from '../../src/shared/logger.ts'
import { createLeases } from '../../src/uploads/lease.ts'
import type { Figures, Samples } from '../support/experiment.ts'
import { quietMachine } from '../support/meter.ts'
import { ratios, single, type Verdict } from '../support/verdict.ts'
import type { Case } from './case.ts'

/** Leases on Postgres: what taking and giving back costs, and what waiting costs. */
export const leases: Case = async (bench) => {
  const { rounds, sizes, patienceSeconds, smoke } = bench.options
  const postgres = await bench.postgres()
  const db = await openDatabase(await postgres.createDatabase('leases'))
  try {
    await migrate(db)
    const ids = await makeUploads(db, sizes.leases)
    const samples: Samples = {}
    for (const { measure } of operations) await measure(db, ids)
    for (let round = 0; round < rounds; round++) {
      for (const { name, measure } of operations) {
        await quietMachine(patienceSeconds)
        const figures = await measure(db, ids)
        samples[name] = [...(samples[name] ?? []), figures]
      }
    }
    const phases = { busy: 'busy', idle: '' }
    const results = { busy: samples, idle: {} }
    return [
      {
        name: 'leases',
        title: `Leases of ${ids.length} unfinished uploads on Postgres, one after the other`,
        phases,
        columns: [
          { figure: 'us', title: 'µs each', range: true },
          { figure: 'cpu', title: 'client CPU µs each' },
        ],
        results,
        verdicts: [
          ...ratios({ results, phases }, comparisons),
          await waiting(db, smoke ? 500 : 10_000),
        ],
        notes: [],
      },
    ]
  } finally {
    await db.close()
  }
}

type Measure = (db: Database, ids: readonly string[]) => Promise<Figures>

const operations: readonly { name: string; measure: Measure }[] = [
  {
    name: 'UPDATE … RETURNING, twice',
    measure: timed(async (db, id) => {
      await db.query(bare, [id, 'bench'])
      await db.query(bare, [id, null])
    }),
  },
  {
    name: 'take and release',
    measure: timed(async (db, id) => {
      const leased = await takeLease(db, id, { holder: 'bench', ms: 10_000 })
      if (!leased?.taken) throw new Error('the lease was not free')
      await releaseLease(db, id, leased.taken.fence)
    }),
  },
]

const comparisons = [
  {
    title: 'take and release / a bare UPDATE … RETURNING twice, time',
    figure: 'us',
    of: 'take and release',
    against: 'UPDATE … RETURNING, twice',
    target: { atMost: 1.2 },
  },
]

/** The same row is changed and not waited for on disk either. */
const bare: Statement = {
  name: 'bench_update',
  sql: `UPDATE carcosa.file SET lease_holder = $2 WHERE id = $1
    RETURNING *, set_config('synchronous_commit', 'off', true)`,
}

function timed(one: (db: Database, id: string) => Promise<void>): Measure {
  return async (db, ids) => {
    const cpu = process.cpuUsage()
    const before = performance.now()
    for (const id of ids) await one(db, id)
    const ms = performance.now() - before
    const { user, system } = process.cpuUsage(cpu)
    return { us: (ms * 1_000) / ids.length, cpu: (user + system) / ids.length }
  }
}

/** CPU of a process in which one request waits for an upload that another process has. */
async function waiting(db: Database, ms: number): Promise<Verdict> {
  const [id = ''] = await makeUploads(db, 1)
  const channel = openChannel(db, silentLogger)
  const deps = { db, channel, bus: createBus(channel), log: silentLogger }
  const waiters = createLeases(deps, { waitMs: ms + 5_000 })
  while (!channel.connected) await sleep(10)
  await takeLease(db, id, { holder: 'another process', ms: ms + 10_000 })
  const lease = await waiters.acquire(id, { preempt: 'idle' })
  const waits = lease.hold().catch(() => {})
  await sleep(100)
  const before = process.cpuUsage()
  await sleep(ms)
  const { user, system } = process.cpuUsage(before)
  waiters.end()
  await waits
  lease.release()
  await channel.close()
  const title = 'CPU of one that waits'
  const target = { atMost: 1 }
  return single({ title, target }, (user + system) / 10 / ms, '% of a core')
}

async function makeUploads(db: Database, count: number): Promise<string[]> {
  const { rows } = await db.executeSql(
    `INSERT INTO carcosa.file (id, project_id, route, state, store_name, key, metadata)
     SELECT md5(random()::text), 'default', 'any', 'receiving', 'default',
       md5(random()::text), '{"album": "holidays"}'
     FROM generate_series(1, ${count}) RETURNING id`,
  )
  return rows.map(({ id }) => String(id))
}
