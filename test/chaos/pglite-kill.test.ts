/**
 * The embedded database keeps what it acknowledged when its process is killed at any moment.
 * `CARCOSA_TEST_CHAOS=long` kills 20 times instead of 5.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openDatabase } from '../../src/db/open.ts'

const kills = process.env.CARCOSA_TEST_CHAOS === 'long' ? 20 : 5
const writer = join(import.meta.dirname, '../support/db/writer.ts')
const chaos = suite('the embedded database under SIGKILL')
const directory = await mkdtemp(join(tmpdir(), 'carcosa-kill-'))

chaos(`holds every acknowledged commit after each of ${kills} kills`, async () => {
  let next = 0
  for (let kill = 1; kill <= kills; kill++) {
    const acknowledged = await writeUntilKilled(next)
    assert.ok(acknowledged >= next, `nothing was committed before kill ${kill}`)
    const last = await verify(acknowledged)
    // The one that was under way may have been committed without having been acknowledged.
    assert.ok(last === acknowledged || last === acknowledged + 1)
    next = last + 1
  }
  console.log(`  ${next} commits, ${kills} kills`)
})

const moments: [title: string, file: string][] = [
  ['before it wrote a file', ''],
  ['when the first files are there', 'postgres.new/base'],
  ['when the last files are written', 'postgres.new/PG_VERSION'],
  ['when the files are where they belong', 'postgres/PG_VERSION'],
]

for (const [index, [title, file]] of moments.entries()) {
  chaos(`opens after a kill during its very first start, ${title}`, async () => {
    const fresh = join(directory, `fresh-${index}`)
    const child = spawn(process.execPath, [writer, fresh], { stdio: 'ignore' })
    await sleep(500)
    while (!existsSync(join(fresh, file))) await sleep(2)
    await kill(child)
    const database = await openDatabase(fresh)
    await database.executeSql('CREATE TABLE probe (n int)')
    await database.close()
    assert.not.ok(existsSync(join(fresh, 'postgres.new')))
  })
}

chaos.after(() => rm(directory, { recursive: true, force: true }))
chaos.run()

/** Returns the number of the last commit that was acknowledged. */
async function writeUntilKilled(first: number): Promise<number> {
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit']
  const child = spawn(process.execPath, [writer, directory, String(first)], { stdio })
  let acknowledged = -1
  const lines = createInterface({ input: child.stdout })
  const firstCommit = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (line.startsWith('open')) return console.log(`  ${line}`)
      acknowledged = Number(line)
      resolve()
    })
  })
  await firstCommit
  await sleep(Math.random() * 1500)
  const closed = once(lines, 'close')
  await kill(child)
  await closed
  return acknowledged
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** Checks that rows 0 … `acknowledged` are there, wholly, and returns the last one. */
async function verify(acknowledged: number): Promise<number> {
  const database = await openDatabase(directory)
  const sql = `SELECT (data->>'n')::int8 AS n, count(*) AS rows
    FROM carcosa.event GROUP BY 1 ORDER BY 1`
  const found = await database.query<{ n: number; rows: number }>({ name: 'all', sql })
  // Reads through the index too: a broken one would not agree with the table.
  const { rows: checked } = await database.executeSql(`
    SET enable_seqscan = off;
    SELECT count(*) AS by_index FROM carcosa.event WHERE seq > 0;
    RESET enable_seqscan`)
  await database.close()
  const total = found.reduce((sum, { rows }) => sum + rows, 0)
  assert.is(checked[0]?.by_index, total)
  for (const [index, { n, rows }] of found.entries()) {
    assert.is(n, index)
    assert.is(rows, n % 10 === 0 ? 3 : 1)
  }
  assert.ok(
    found.length > acknowledged,
    `${found.length} rows, ${acknowledged} acknowledged`,
  )
  return found.length - 1
}
