/** A file that is read again within a second is not asked for again, and never old for longer. */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Upload, upload } from '../support/lifecycle.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

const test = suite('reading a file again')

let database: TestDatabase
let here: TestServer
let there: TestServer

test.before.each(async () => {
  database = await postgres()
  here = await startServer({ database: database.url })
  there = await startServer({ database: database.url, dataDir: here.dataDir })
})
test.after.each(async () => {
  await there.close()
  await here.close()
  await database.drop()
  rmSync(here.dataDir, { recursive: true, force: true })
})

const read = (server: TestServer, { id }: Upload, headers: Record<string, string> = {}) =>
  server.doors.http({ method: 'GET', path: `/files/${id}`, headers })

/** How often a row was looked for while `work` was done. */
async function lookups(
  server: TestServer,
  work: () => Promise<unknown>,
): Promise<number> {
  // What tests may look at: the same object that the server asks.
  const db = server.uploads.db as { query: typeof server.uploads.db.query }
  const { query } = db
  let count = 0
  db.query = (statement, values) => {
    if (statement.name === 'file_find') count++
    return query.call(server.uploads.db, statement, values) as never
  }
  await work().finally(() => {
    db.query = query
  })
  return count
}

test('a hundred readers at once are one query', async () => {
  const file = await upload(here, 'demo', 'content')
  const count = await lookups(here, async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => read(here, file)))
    for (const { status, text } of answers) assert.equal([status, text], [200, 'content'])
  })
  assert.is(count, 1)
})

test('so are the ranges of one reader', async () => {
  const file = await upload(here, 'demo', 'content')
  const count = await lookups(here, async () => {
    for (let i = 0; i < 7; i++) {
      const { text } = await read(here, file, { Range: `bytes=${i}-${i}` })
      assert.is(text, 'content'[i])
    }
  })
  assert.ok(count <= 2, `${count} queries`)
})

test('what is deleted is gone at once in the process that deletes it', async () => {
  const file = await upload(here, 'demo', 'content')
  assert.is((await read(here, file)).status, 200)
  await here.carcosa.api.files.delete(file.id)
  assert.is((await read(here, file)).status, 404)
})

test('and within a second in all others', async () => {
  const file = await upload(here, 'demo', 'content')
  assert.is((await read(there, file)).status, 200)
  await here.carcosa.api.files.delete(file.id)
  await sleep(1_000)
  assert.is((await read(there, file)).status, 404)
})

test('a new name is in the next answer', async () => {
  const file = await upload(here, 'demo', 'content')
  await read(here, file)
  await here.carcosa.api.files.rename(file.id, 'new.txt')
  const { headers } = await read(here, file)
  assert.match(headers['content-disposition'] ?? '', /new\.txt/)
})

test('a file that is not there yet is looked for every time', async () => {
  const path = '/files/AAAAAAAAAAAAAAAAAAAAAAAA'
  const count = await lookups(here, async () => {
    for (let i = 0; i < 3; i++) await here.doors.http({ method: 'GET', path })
  })
  assert.is(count, 3)
})

test.run()
