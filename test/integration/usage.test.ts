/** What is stored, and what was stored and deleted: by events, each counted once. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRouter, route } from '../../src/index.ts'
import { CarcosaError, hasCode } from '../../src/shared/errors.ts'
import { rollUpAll } from '../../src/usage/rollup.ts'
import { memory } from '../../stores/memory.ts'
import { begin, statusOf, upload } from '../support/lifecycle.ts'
import { patch } from '../support/records.ts'
import { startServer, type TestServer } from '../support/server.ts'

const open = { maxFileSize: '1MB' } as const

const router = createRouter({
  plain: route({ blob: open }).public(),
  image: route({ image: open }).public(),
  refused: route({ blob: open })
    .public()
    .onUploadComplete(() => {
      throw new CarcosaError('UPLOAD_REJECTED')
    }),
})

const test = suite('usage')
let server: TestServer
test.before(async () => {
  server = await startServer({ router, store: memory() })
})
test.before.each(async () => {
  await server.uploads.db.executeSql(
    `DELETE FROM carcosa.event; DELETE FROM carcosa.event_sequence; DELETE FROM carcosa.file;
    DELETE FROM carcosa.usage_day; DELETE FROM carcosa.usage_cursor; DELETE FROM carcosa.quota`,
  )
})
test.after(() => server.close())

const today = () => new Date().toISOString().slice(0, 10)
const get = (query = {}) => server.carcosa.api.usage.get(query)

/** Of every way a file ends: what is stored afterwards is one of 5 bytes, and one of 3. */
async function fill(): Promise<void> {
  const headers = { Authorization: 'Bearer ann' }
  await upload(server, 'plain', { body: 'hello', headers })
  await upload(server, 'plain', 'abc')
  const gone = await upload(server, 'plain', { body: '1234567', headers })
  assert.ok(await server.carcosa.api.files.delete(gone.id))
  const refused = await upload(server, 'refused', '12')
  assert.is((await statusOf(server, refused, 10)).state, 'rejected')
  await server.carcosa.api.files.delete(refused.id)
  // Never stored.
  await begin(server, 'plain', { length: 100 })
  const cancelled = await begin(server, 'plain', { length: 100 })
  await server.doors.http({ method: 'DELETE', path: cancelled.url })
  const metadata = { filetype: 'image/png' }
  const wrong = await begin(server, 'image', { length: 5, metadata })
  await patch(server.doors.http, wrong.url, { offset: 0, body: '%PDF-' })
}

test('a project without files has no usage', async () => {
  const { bytes, files, quota, rows } = await get()
  assert.equal(
    { bytes, files, quota, rows },
    { bytes: 0, files: 0, quota: null, rows: [] },
  )
})

test('what is stored now, and by day', async () => {
  await fill()
  const { bytes, files, rows, to, by } = await get()
  assert.equal({ bytes, files, to, by }, { bytes: 8, files: 2, to: today(), by: 'day' })
  const stored = { storedFiles: 4, storedBytes: 17, deletedFiles: 2, deletedBytes: 9 }
  assert.equal(rows, [{ name: today(), ...stored }])
})

test('what was deleted and restored is stored again', async () => {
  const graced = await startServer({ router, store: memory(), deleteGrace: '1h' })
  try {
    const { files, usage } = graced.carcosa.api
    const { id } = await upload(graced, 'plain', 'hello')
    const day = { name: today(), storedFiles: 1, storedBytes: 5 }
    await files.delete(id)
    const gone = { deletedFiles: 1, deletedBytes: 5 }
    assert.equal((await usage.get()).rows, [{ ...day, ...gone }])
    await files.restore(id)
    const back = await usage.get()
    assert.equal(back.rows, [{ ...day, ...gone, storedFiles: 2, storedBytes: 10 }])
    assert.is(back.files, 1)
  } finally {
    await graced.close()
  }
})

test('by route and by owner', async () => {
  await fill()
  const plain = { storedFiles: 3, storedBytes: 15, deletedFiles: 1, deletedBytes: 7 }
  const refused = { storedFiles: 1, storedBytes: 2, deletedFiles: 1, deletedBytes: 2 }
  assert.equal((await get({ by: 'route' })).rows, [
    { name: 'plain', ...plain },
    { name: 'refused', ...refused },
  ])
  const ann = { storedFiles: 2, storedBytes: 12, deletedFiles: 1, deletedBytes: 7 }
  const nobody = { storedFiles: 2, storedBytes: 5, deletedFiles: 1, deletedBytes: 2 }
  assert.equal((await get({ by: 'owner' })).rows, [
    { name: 'ann', ...ann },
    { name: null, ...nobody },
  ])
})

test('in short, as getUsageInfo of UploadThing tells it', async () => {
  await upload(server, 'plain', 'hello')
  const { usage } = server.carcosa.api
  const info = { totalBytes: 5, appTotalBytes: 5, filesUploaded: 1 }
  assert.equal(await usage.info(), { ...info, limitBytes: null })
  await usage.setQuota('default', { bytes: '1KB' })
  assert.equal(await usage.info(), { ...info, limitBytes: 1024 })
})

test('asking again, also many times at once, changes nothing; what comes later is added', async () => {
  await fill()
  const [first, ...others] = await Promise.all(Array.from({ length: 8 }, () => get()))
  for (const other of others) assert.equal(other, first)
  await rollUpAll(server.uploads.db)
  assert.equal(await get(), first)
  await upload(server, 'plain', '1234')
  const later = await get()
  assert.is(later.bytes, 12)
  assert.is(later.rows[0]?.storedFiles, 5)
})

test('an event that is committed after others were added up is taken along, on its own day', async () => {
  await upload(server, 'plain', 'hello')
  await get()
  // As a transaction that began yesterday and was committed now.
  const made = await upload(server, 'plain', 'abc')
  await server.uploads.db.executeSql(
    `UPDATE carcosa.event SET created_at = created_at - interval '1 day' WHERE file_id = '${made.id}'`,
  )
  const { rows } = await get()
  assert.equal(
    rows.map(({ storedBytes }) => storedBytes),
    [3, 5],
  )
})

test('events that were dropped before anybody asked are read from the files', async () => {
  await fill()
  const expected = await get({ by: 'owner' })
  await server.uploads.db.executeSql(
    `DELETE FROM carcosa.usage_day; DELETE FROM carcosa.usage_cursor;
    DELETE FROM carcosa.event`,
  )
  // Its events are not numbered yet: they come later, and not twice.
  await upload(server, 'plain', '1234')
  const { bytes, files, rows } = await get({ by: 'owner' })
  assert.equal({ bytes, files }, { bytes: expected.bytes + 4, files: expected.files + 1 })
  assert.equal(rows[0], expected.rows[0])
  assert.is(rows[1]?.storedFiles, (expected.rows[1]?.storedFiles ?? 0) + 1)
})

test('only the days that were asked for', async () => {
  await upload(server, 'plain', 'hello')
  assert.is((await get({ from: today(), to: today() })).rows.length, 1)
  const { rows, bytes } = await get({ from: '2020-01-01', to: '2020-12-31' })
  assert.equal(rows, [])
  assert.is(bytes, 5, 'what is stored is stored now')
})

for (const [what, query] of [
  ['a day that does not exist', { from: '2026-02-30' }],
  ['a day of another kind', { to: '26-1-1' }],
  ['no day', { from: '' }],
  ['days in the wrong order', { from: '2026-02-02', to: '2026-02-01' }],
  ['by what nobody knows', { by: 'color' }],
  ['by a number', { by: 7 }],
  ['a day as a number', { from: 20260101 }],
] as const) {
  test(`${what} is refused`, async () => {
    const error = await get(query).catch((thrown: unknown) => thrown)
    assert.ok(hasCode(error, 'BAD_REQUEST'), String(error))
  })
}

test('100,000 files more make the answer no dearer', async () => {
  await upload(server, 'plain', 'hello')
  await get()
  const { db } = server.uploads
  await db.executeSql(
    `INSERT INTO carcosa.file (id, project_id, route, state, store_name, key, size, stored_at)
    SELECT 'f' || i, 'default', 'plain', 'ready', 'default', 'k' || i, 1, now()
    FROM generate_series(1, 100000) i`,
  )
  await db.executeSql('ANALYZE carcosa.file')
  const began = performance.now()
  for (let i = 0; i < 20; i++) await get()
  const ms = (performance.now() - began) / 20
  assert.ok(ms < 50, `${ms} ms`)
})

test.run()
