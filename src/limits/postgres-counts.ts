import type { Database, Statement } from '../db/database.ts'
import { together } from '../shared/together.ts'
import type { Addition, Count, Counts } from './counts.ts'

/** Most keys of one statement. */
const mostKeys = 1_000
/**
 * How long what nobody waits for may be put off, in ms, where others are counted. A statement costs
 * some 0.2 ms of CPU, most of it for waking up Postgres; of 600 creations in a second six share one then.
 */
const putOffMs = 10

/**
 * Counts in a table, for all processes on this database, by its clock. One statement of a process
 * runs at a time, and takes along all that came while the last one ran or was put off: each request
 * costs one at most, and those of one client do not queue for the lock of its row.
 *
 * The table is unlogged: no commit waits for a disk, and after a crash of Postgres all counts
 * begin anew.
 */
export function postgresCounts(db: Pick<Database, 'query'>): Counts {
  let underWay = 0
  const take = together<Waiting>(
    async (additions) => {
      await addAll(db, additions)
      underWay -= additions.length
    },
    { most: mostKeys },
  )
  let putOff: Waiting[] = []
  let late: NodeJS.Timeout | null = null

  const release = () => {
    if (late) clearTimeout(late)
    late = null
    const released = putOff
    putOff = []
    underWay += released.length
    released.forEach(take)
  }

  return {
    add(key, { points, seconds, wanted }) {
      return new Promise((resolve, reject) => {
        const addition = { key, points, seconds, resolve, reject }
        const isAlone = underWay + putOff.length === 0
        putOff.push(addition)
        if (!wanted) return release()
        // What one request counts under several keys comes together.
        if (isAlone) return queueMicrotask(release)
        late ??= setTimeout(release, putOffMs)
        void wanted.then(() => {
          if (putOff.includes(addition)) release()
        })
      })
    },
  }
}

interface Waiting extends Pick<Addition, 'points' | 'seconds'> {
  readonly key: string
  resolve(count: Count): void
  reject(error: unknown): void
}

interface Row {
  key: string
  points: number
  ms_left: number
}

/** Never rejects: each of `additions` is told. */
async function addAll(
  db: Pick<Database, 'query'>,
  additions: readonly Waiting[],
): Promise<void> {
  const groups = Map.groupBy(additions, ({ key }) => key)
  const sums = [...groups].map(([key, group]) => ({
    key,
    points: group.reduce((sum, { points }) => sum + points, 0),
    seconds: group[0]?.seconds ?? 1,
  }))
  try {
    const rows = await db.query<Row>(addPoints, [
      sums.map(({ key }) => key),
      sums.map(({ points }) => points),
      sums.map(({ seconds }) => seconds),
    ])
    const byKey = new Map(rows.map((row) => [row.key, row]))
    for (const { key, points: sum } of sums) {
      const row = byKey.get(key)
      if (!row) throw new TypeError('a counter was not returned')
      // In the order in which they came.
      let points = row.points - sum
      for (const addition of groups.get(key) ?? []) {
        points += addition.points
        addition.resolve({ points, msLeft: row.ms_left })
      }
    }
  } catch (error) {
    for (const addition of additions) addition.reject(error)
  }
}

/** In the order of keys, so that two statements never wait for each other. */
const addPoints: Statement = {
  name: 'rate_count_add',
  sql: `INSERT INTO carcosa.rate_count AS count (key, points, expires_at)
        SELECT key, points, now() + make_interval(secs => seconds)
        FROM unnest($1::text[], $2::int[], $3::int[]) AS spent(key, points, seconds)
        ORDER BY key
        ON CONFLICT (key) DO UPDATE SET
          points = CASE WHEN count.expires_at <= now() THEN excluded.points
                        ELSE least(count.points::bigint + excluded.points, 2147483647)::int END,
          expires_at = CASE WHEN count.expires_at <= now() THEN excluded.expires_at
                            ELSE count.expires_at END
        RETURNING key, points,
          floor(extract(epoch FROM count.expires_at - now()) * 1000)::int AS ms_left`,
}

/** Deletes counters whose window is over. Returns how many. */
export async function dropCounts(db: Pick<Database, 'query'>): Promise<number> {
  const [row] = await db.query<{ dropped: number }>(dropExpired)
  return row?.dropped ?? 0
}

const dropExpired: Statement = {
  name: 'rate_count_drop',
  sql: `WITH dropped AS (DELETE FROM carcosa.rate_count WHERE expires_at < now() RETURNING 1)
        SELECT count(*)::int AS dropped FROM dropped`,
}
