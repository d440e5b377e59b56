/**
 * Commits rows into the embedded database in argv[2] until it is killed, and prints the
 * number of each one that was acknowledged. See test/chaos/pglite-kill.test.ts.
 */
import { writeSync } from 'node:fs'
import { migrate } from '../../../src/db/migrate.ts'
import { openDatabase } from '../../../src/db/open.ts'

const [directory = '', first = '0'] = process.argv.slice(2)
const started = performance.now()
const database = await openDatabase(directory)
await migrate(database)
const opened = Math.round(performance.now() - started)
writeSync(1, `open ${opened} ms ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB\n`)

for (let n = Number(first); ; n++) {
  // One in ten is a transaction of several statements: it must be there wholly or not at all.
  if (n % 10 === 0) {
    await database.transaction(async (tx) => {
      await insert(tx, n, 'file.a')
      await insert(tx, n, 'file.b')
      await insert(tx, n, 'file.c')
    })
  } else {
    await insert(database, n, 'file.a')
  }
  // Synchronous: a line that the parent reads was written after the commit returned.
  writeSync(1, `${n}\n`)
}

function insert(db: Pick<typeof database, 'query'>, n: number, type: string) {
  const sql = `INSERT INTO carcosa.event (project_id, type, data)
    VALUES ('default', $1, jsonb_build_object('n', $2::int8, 'filler', repeat('x', 1000)))`
  return db.query({ name: 'insert event', sql }, [type, n])
}
