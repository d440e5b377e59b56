/** How uploads end, where their bytes go, and what two processes on one database do. */
import { createHash } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createCarcosa, createRouter, route } from '../../src/index.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { sweep } from '../../src/uploads/sweep.ts'
import { type MemoryStore, memory } from '../../stores/memory.ts'
import { overFetch } from '../support/exchange.ts'
import { begin, eventsOf, seenBy, statusOf, upload } from '../support/lifecycle.ts'
import { postgres } from '../support/postgres.ts'
import { eventually } from '../support/raw-http.ts'
import { created, offsetOf, offsetStream, patch } from '../support/records.ts'
import { startServer, type TestServer } from '../support/server.ts'

const open = { maxFileSize: '1MB', acl: 'public-read' } as const
const router = createRouter({
  plain: route({ blob: open }).public(),
  brief: route({ blob: open }).public().expiresIn(300),
  cold: route({ blob: open }).public().store('cold'),
  sorted: route({ blob: open })
    .public()
    .store(({ file }) => (file.name.startsWith('cold') ? 'cold' : 'hot')),
  nowhere: route({ blob: open })
    .public()
    .store(() => 'tepid'),
})

/** A store that can be told to refuse deleting. */
function stubborn(): MemoryStore & { refuses: boolean } {
  const store = { ...memory(), refuses: false }
  const { remove } = store
  return Object.assign(store, {
    async remove(key: string) {
      if (store.refuses) throw new CarcosaError('STORAGE_UNAVAILABLE')
      await remove(key)
    },
  })
}

const hot = stubborn()
const cold = memory()

const test = suite('lifecycle: ends')
let server: TestServer
test.before(async () => {
  server = await startServer({ router, store: { hot, cold } })
})
test.after(() => server.close())

// Time.

test('an upload without progress expires: 410, an event, its bytes go', async () => {
  const made = await begin(server, 'brief', { length: 10 })
  await patch(server.doors.http, made.url, { offset: 0, body: 'hello' })
  assert.ok(hot.objects.has(made.id))
  await sleep(350)
  assert.equal(await seenBy(server, made), [410, 410, 404])
  assert.ok((await sweep(server.uploads)).expired >= 1)
  const row = await server.row(made.url)
  assert.is(row.state, 'expired')
  assert.ok(row.purgedAt)
  assert.not.ok(hot.objects.has(made.id))
  assert.equal(await seenBy(server, made), [410, 410, 404])
  assert.equal(await eventsOf(server, made), ['file.created', 'file.expired'])
  assert.is((await sweep(server.uploads)).expired, 0)
})

test('progress keeps an upload alive', async () => {
  const made = await begin(server, 'brief', { length: 10 })
  for (let offset = 0; offset < 6; offset++) {
    await sleep(100)
    const sent = await patch(server.doors.http, made.url, { offset, body: 'x' })
    assert.is(sent.status, 204, `at ${offset}`)
  }
})

test('a finished file never expires', async () => {
  const made = await upload(server, 'brief', 'content')
  assert.is((await server.row(made.url)).expiresAt, null)
  await sleep(350)
  await sweep(server.uploads)
  assert.is((await statusOf(server, made)).state, 'ready')
  assert.is((await server.doors.http({ method: 'HEAD', path: made.url })).status, 200)
})

test('other uploads live for the time of the server', async () => {
  const made = await begin(server, 'plain', { length: 10 })
  const { expiresAt } = await server.row(made.url)
  const hours = ((expiresAt?.getTime() ?? 0) - Date.now()) / 3_600_000
  assert.ok(hours > 23.9 && hours <= 24, `${hours} hours`)
})

test('ten sweeps at once end an upload once', async () => {
  const made = await begin(server, 'brief', { length: 10 })
  await sleep(350)
  const reports = await Promise.all(
    Array.from({ length: 10 }, () => sweep(server.uploads)),
  )
  assert.is(
    reports.reduce((sum, { expired }) => sum + expired, 0),
    1,
  )
  assert.equal(await eventsOf(server, made), ['file.created', 'file.expired'])
})

test('bytes that arrive after an upload was ended are not acknowledged', async () => {
  const made = await begin(server, 'plain', { length: 10 })
  const body = new PassThrough()
  const sending = server.carcosa.fetch(
    new Request(`http://carcosa.test${made.url}`, {
      method: 'PATCH',
      headers: {
        'Tus-Resumable': '1.0.0',
        'Upload-Offset': '0',
        'Content-Type': offsetStream,
      },
      body: Readable.toWeb(body),
      duplex: 'half',
    } as RequestInit),
  )
  body.write('hello')
  await eventually(
    () => hot.objects.get(made.id)?.bytes.length,
    (length) => length === 5,
  )
  await server.carcosa.api.files.delete(made.id)
  body.end('world')
  const answer = await sending
  assert.is(answer.status, 410)
  assert.equal(await eventsOf(server, made), ['file.created', 'file.removed'])
})

// Bytes.

test('what a store refuses to delete is deleted by a later sweep', async () => {
  const made = await upload(server, 'plain', 'content')
  hot.refuses = true
  assert.ok(await server.carcosa.api.files.delete(made.id))
  assert.is((await server.row(made.url)).state, 'removed')
  assert.is((await server.row(made.url)).purgedAt, null)
  assert.equal(await seenBy(server, made), [410, 410, 404], 'but nobody sees it any more')
  assert.is((await sweep(server.uploads)).purged, 0)
  hot.refuses = false
  assert.is((await sweep(server.uploads)).purged, 1)
  assert.ok((await server.row(made.url)).purgedAt)
  assert.not.ok(hot.objects.has(made.id))
  assert.equal(await eventsOf(server, made), [
    'file.created',
    'file.stored',
    'file.ready',
    'file.removed',
  ])
})

test('hundreds of files in a store that is gone do not hold up the others', async () => {
  const lost = await upload(server, 'plain', 'x')
  const row = await server.uploads.db.prisma.file.findUniqueOrThrow({
    where: { id: lost.id },
  })
  const data = Array.from({ length: 450 }, (_, i) => ({
    ...row,
    id: `000000000000lost${i}`,
    key: `000000000000lost${i}`,
    storeName: 'of an earlier configuration',
    state: 'removed',
    input: undefined,
    metadata: undefined,
    serverData: undefined,
    failure: undefined,
    storeMemo: undefined,
  }))
  await server.uploads.db.prisma.file.createMany({ data })
  const made = await upload(server, 'plain', 'content')
  hot.refuses = true
  await server.carcosa.api.files.delete(made.id)
  hot.refuses = false
  await sweep(server.uploads)
  assert.not.ok(hot.objects.has(made.id))
  await server.uploads.db.prisma.file.deleteMany({ where: { key: { contains: 'lost' } } })
})

// Stores.

test('a route keeps its files in the store it names, or chooses', async () => {
  const named = await upload(server, 'cold', 'a')
  const chosen = await upload(server, 'sorted', {
    body: 'b',
    metadata: { name: 'cold-b' },
  })
  const other = await upload(server, 'sorted', { body: 'c', metadata: { name: 'c' } })
  const plain = await upload(server, 'plain', 'd')
  assert.equal(
    [named, chosen, other, plain].map(({ id }) =>
      [hot, cold].findIndex((s) => s.objects.has(id)),
    ),
    [1, 1, 0, 0],
  )
  for (const [made, text] of [
    [named, 'a'],
    [chosen, 'b'],
    [other, 'c'],
  ] as const) {
    const file = await server.doors.http({ method: 'GET', path: `/files/${made.id}` })
    assert.is(file.text, text)
  }
})

test('a store that is not configured is named, and nothing is created', async () => {
  const before = await server.uploads.db.prisma.file.count()
  const answer = await server.doors.http({
    method: 'POST',
    path: '/uploads/nowhere',
    headers: { 'Upload-Length': '1' },
  })
  assert.is(answer.json().code, 'STORE_UNKNOWN')
  assert.match(answer.text, 'tepid')
  assert.is(await server.uploads.db.prisma.file.count(), before)
})

// Text.

const names: [what: string, sent: string | Buffer, kept: string][] = [
  ['NUL', 'a\0b.txt', 'a\uFFFDb.txt'],
  [
    'half a surrogate pair, as WTF-8',
    Buffer.from('61eda08062', 'hex'),
    'a\uFFFD\uFFFD\uFFFDb',
  ],
  ['bytes that are not text', Buffer.from('ff00fe', 'hex'), '\uFFFD\uFFFD\uFFFD'],
  ['every plane', '🦆 ünï 漢字 \u202e', '🦆 ünï 漢字 \u202e'],
]
for (const [what, sent, kept] of names) {
  test(`a name with ${what} breaks nothing`, async () => {
    const made = await upload(server, 'plain', {
      body: 'content',
      metadata: { filename: sent, note: sent },
    })
    const { state, name } = await statusOf(server, made)
    assert.is(state, 'ready')
    assert.is(name, kept)
    assert.is(
      (await server.doors.http({ method: 'GET', path: `/files/${made.id}` })).status,
      200,
    )
  })
}

test('middleware may return text that Postgres cannot keep, in keys too', async () => {
  const strange = createRouter({
    demo: route({ blob: open })
      .public()
      .middleware(() => ({ 'a\0': 'b\uD800', deep: [{ '\uDC00': '\0' }] })),
  })
  const other = await startServer({ router: strange })
  try {
    const made = await upload(other, 'demo', 'x')
    assert.equal((await other.row(made.url)).metadata, {
      'a\uFFFD': 'b\uFFFD',
      deep: [{ '\uFFFD': '\uFFFD' }],
    })
  } finally {
    await other.close()
  }
})

// Two processes.

test('two processes take turns at one upload: every byte, offset and the digest are right', async () => {
  const { url: database, drop } = await postgres()
  const store = memory()
  const secret = 'the-same-secret-in-both-of-the-processes'
  const shared = { router, database, secret, store: { hot: store, cold } }
  const one = await createCarcosa({ ...shared, worker: true, dataDir: server.dataDir })
  const two = await createCarcosa({ ...shared, worker: false, dataDir: server.dataDir })
  try {
    const turns = [overFetch(one.fetch), overFetch(two.fetch)] as const
    const parts = Array.from({ length: 9 }, (_, i) => String(i).repeat(1000 + i))
    const whole = parts.join('')
    const url = await created(turns[1], { route: 'plain', length: whole.length })
    let offset = 0
    for (const [i, body] of parts.entries()) {
      const [mine, other] = i % 2 === 0 ? turns : [turns[1], turns[0]]
      const sent = await patch(mine, url, { offset, body })
      assert.is(sent.status, 204, `part ${i}: ${sent.text}`)
      offset += body.length
      assert.is(sent.headers['upload-offset'], String(offset))
      assert.is(await offsetOf(other, url), offset)
      const late = await patch(other, url, { offset: offset - 1, body: 'x' })
      assert.is(late.status, 409)
    }
    const id = url.split('/').at(-1) ?? ''
    assert.is(store.objects.get(id)?.bytes.toString(), whole)
    const digest = createHash('sha256').update(whole).digest('hex')
    await eventually(
      async () => (await one.api.files.get(id))?.sha256,
      (sha256) => sha256 === digest,
      15_000,
    )
  } finally {
    await one.close()
    await two.close()
    await drop()
  }
})

test.run()
