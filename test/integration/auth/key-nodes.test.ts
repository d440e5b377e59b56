/** API keys on two nodes with one Postgres: what a key costs, and how a revocation travels. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiKeys } from '../../../src/auth/api-keys.ts'
import { keyCacheMs } from '../../../src/auth/key-cache.ts'
import { byPrefixStatement } from '../../../src/auth/key-rows.ts'
import { postgres, type TestDatabase } from '../../support/postgres.ts'
import { eventually } from '../../support/raw-http.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('API keys on two nodes')
let database: TestDatabase
let one: TestServer
let two: TestServer

test.before(async () => {
  database = await postgres()
  const options = {
    database: database.url,
    auth: [apiKeys()],
    secret: 'both-nodes-have-got-the-same-secret-here',
  }
  one = await startServer(options)
  two = await startServer(options)
  for (const { uploads } of [one, two]) {
    await eventually(
      async () => uploads.channel.connected,
      (connected) => connected,
    )
  }
})
test.after(async () => {
  await one.close()
  await two.close()
  await database.drop()
})

const upload = (server: TestServer, token: string) =>
  server.doors.http({
    method: 'POST',
    path: '/uploads/mine',
    headers: { 'Upload-Length': '5', Authorization: `Bearer ${token}` },
  })

test('a revocation is heard by the other node, long before it would look again', async () => {
  const { id, token } = await one.carcosa.api.keys.create({ name: 'a' })
  assert.is((await upload(two, token)).status, 201, 'made on one, known on two')
  await one.carcosa.api.keys.revoke(id)
  const began = Date.now()
  await eventually(
    async () => (await upload(two, token)).status,
    (status) => status === 401,
  )
  assert.ok(Date.now() - began < keyCacheMs / 2)
})

test('so is a rotation without overlap', async () => {
  const { id, token } = await one.carcosa.api.keys.create({ name: 'a' })
  assert.is((await upload(two, token)).status, 201)
  const next = await one.carcosa.api.keys.rotate(id, { overlap: 0 })
  await eventually(
    async () => (await upload(two, token)).status,
    (status) => status === 401,
  )
  assert.is((await upload(two, next.token)).status, 201)
})

test('a row is believed for seconds, and no longer, where nobody tells', async () => {
  const { id, token } = await one.carcosa.api.keys.create({ name: 'a' })
  assert.is((await upload(two, token)).status, 201)
  await two.uploads.db.query(
    {
      name: 'revoke_silently',
      sql: 'UPDATE carcosa.api_key SET revoked_at = now() WHERE id = $1',
    },
    [id],
  )
  assert.is((await upload(two, token)).status, 201, 'no query for each request')
  await sleep(keyCacheMs + 100)
  assert.is((await upload(two, token)).status, 401)
})

test('a key is found by an index among many', async () => {
  const { db } = one.uploads
  await db.executeSql(`INSERT INTO carcosa.api_key
      (id, project_id, name, mode, role, allowed_addresses, prefix, hash, previous_prefix)
    SELECT 'k' || i, 'default', 'k', 'live', 'developer', '{}', 'p' || i, 'h', 'q' || i
    FROM generate_series(1, 20000) AS i;
    ANALYZE carcosa.api_key`)
  const sql = `EXPLAIN ${byPrefixStatement.sql.replaceAll('$1', `'p77'`)}`
  const { rows } = await db.executeSql(sql)
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  assert.match(plan, 'api_key_prefix_key')
  assert.match(plan, 'api_key_previous_prefix_key')
  assert.not.match(plan, 'Seq Scan')
})

test.run()
