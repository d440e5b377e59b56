/** SEC-13, SEC-14: what is stored and reserved never exceeds a quota, and every end gives it back, once. */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CarcosaOptions, createRouter, route } from '../../src/index.ts'
import { CarcosaError, hasCode } from '../../src/shared/errors.ts'
import { reconcile } from '../../src/upkeep/reconcile.ts'
import { sweep } from '../../src/uploads/sweep.ts'
import { type MemoryStore, memory } from '../../stores/memory.ts'
import type { Answered } from '../support/exchange.ts'
import { begin, statusOf, upload } from '../support/lifecycle.ts'
import { parseMetrics } from '../support/metrics.ts'
import { partService, partStore } from '../support/part-store.ts'
import { postgres } from '../support/postgres.ts'
import { usedOf } from '../support/quotas.ts'
import { offsetOf, patch } from '../support/records.ts'
import { startServer, type TestServer } from '../support/server.ts'

const open = { maxFileSize: '1GB', maxFileCount: 2, acl: 'public-read' } as const
const png = { image: { maxFileSize: '1MB' } } as const

const router = createRouter({
  plain: route({ blob: open }).public(),
  image: route(png).public(),
  parts: route({ blob: open }).public().store('parts'),
  small: route({ blob: { maxFileSize: '1MB' } })
    .public()
    .expiresIn(1),
  refused: route({ blob: open })
    .public()
    .onUploadComplete(() => {
      throw new CarcosaError('UPLOAD_REJECTED')
    }),
})

interface Scene {
  server: TestServer
  main: MemoryStore
}

async function scene(options: Partial<CarcosaOptions> = {}): Promise<Scene> {
  const main = memory()
  const parts = partStore(partService(), { partSize: 1024 })
  const server = await startServer({ router, store: { main, parts }, ...options })
  return { server, main }
}

const quota = { bytes: 1_000, files: 10 }

const test = suite('quota')
let now: Scene
let embedded: Scene
test.before(async () => {
  now = await scene()
  embedded = await scene({ database: 'memory://' })
})
test.before.each(async () => {
  for (const { server, main } of [now, embedded]) {
    main.objects.clear()
    await server.uploads.db.executeSql(
      `DELETE FROM carcosa.event; DELETE FROM carcosa.file; DELETE FROM carcosa.owner_usage;
      DELETE FROM carcosa.quota`,
    )
    await server.carcosa.api.usage.setQuota('default', quota)
  }
})
test.after(async () => {
  await now.server.close()
  await embedded.server.close()
})

/** A creation that may be refused. */
function create(
  server: TestServer,
  length: number | null,
  { route: name = 'plain', headers = {} as Record<string, string> } = {},
): Promise<Answered> {
  const size: Record<string, string> =
    length === null ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }
  return server.doors.http({
    method: 'POST',
    path: `/uploads/${name}`,
    headers: { ...size, ...headers },
  })
}

test('an upload that does not fit is refused with 413 and what is left', async () => {
  const { server } = now
  await upload(server, 'plain', 'x'.repeat(600))
  const refused = await create(server, 401)
  assert.is(refused.status, 413, refused.text)
  const { code, details } = refused.json()
  assert.is(code, 'QUOTA_EXCEEDED')
  assert.equal(details, {
    of: 'project',
    size: 401,
    quotaBytes: 1_000,
    usedBytes: 600,
    quotaFiles: 10,
    usedFiles: 1,
  })
  assert.is((await create(server, 400)).status, 201)
  assert.equal(await usedOf(server), { bytes: 1_000, files: 2 })
})

test('files are counted too, the empty ones as well', async () => {
  const { server } = now
  for (let i = 0; i < 10; i++) assert.is((await create(server, 0)).status, 201)
  const refused = await create(server, 0)
  assert.is(refused.json().code, 'QUOTA_EXCEEDED')
  assert.is((await create(server, null)).status, 413)
  assert.equal(await usedOf(server), { bytes: 0, files: 10 })
})

test('a file that comes whole with its creation leaves nothing when there is no room', async () => {
  const { server, main } = now
  const headers = {
    'Upload-Length': '1001',
    'Content-Type': 'application/offset+octet-stream',
  }
  const path = '/uploads/plain'
  const body = 'x'.repeat(1001)
  const refused = await server.doors.http({ method: 'POST', path, headers, body })
  assert.is(refused.json().code, 'QUOTA_EXCEEDED', refused.text)
  assert.is(main.objects.size, 0)
  assert.is(await server.newest(), null)
  const fits = { ...headers, 'Upload-Length': '1000' }
  const taken = await server.doors.http({
    ...{ method: 'POST', path, headers: fits, body: 'x'.repeat(1000) },
  })
  assert.is(taken.status, 201, taken.text)
  assert.equal(await usedOf(server), { bytes: 1_000, files: 1 })
})

/** A file that comes whole with its creation. */
function send(server: TestServer, body: string, headers: Record<string, string> = {}) {
  return server.doors.http({
    method: 'POST',
    path: '/uploads/plain',
    headers: {
      'Upload-Length': String(body.length),
      'Content-Type': 'application/offset+octet-stream',
      ...headers,
    },
    body,
  })
}

test('SEC-14: of 100 that come whole at once as many are stored as fit, and of the others nothing', async () => {
  for (const { server, main } of [now, embedded]) {
    await server.carcosa.api.usage.setQuota('default', { bytes: 50 * 7 + 6 })
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => send(server, '1234567')),
    )
    const stored = answers.filter(({ status }) => status === 201)
    assert.is(stored.length, 50)
    assert.is(answers.filter(({ status }) => status === 413).length, 50)
    assert.is(main.objects.size, 50)
    assert.equal(await usedOf(server), { bytes: 350, files: 50 })
    const { id } = await server.row(stored[0]?.headers.location ?? '')
    assert.ok(await server.carcosa.api.files.delete(id))
    assert.equal(await usedOf(server), { bytes: 343, files: 49 })
  }
})

test('a ticket that sends the same whole file again stores and counts it once', async () => {
  const { server, main } = now
  await server.carcosa.api.usage.setQuota('default', { files: 1 })
  const [ticket = ''] = await ticketsFor(server, [{ name: 'a.bin', size: 5 }])
  const headers = { 'Upload-Ticket': ticket, Authorization: 'Bearer ann' }
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => send(server, 'hello', headers)),
  )
  assert.equal([...new Set(answers.map(({ status }) => status))], [201])
  assert.is(new Set(answers.map(({ headers }) => headers.location)).size, 1)
  assert.is(main.objects.size, 1)
  assert.equal(await usedOf(server), { bytes: 5, files: 1 })
})

test('what its bytes rule out and has no room either leaves nothing', async () => {
  const { server, main } = now
  await server.carcosa.api.usage.setQuota('default', { files: 0 })
  const refused = await server.doors.http({
    ...{ method: 'POST', path: '/uploads/image', body: '%PDF-' },
    headers: {
      'Upload-Length': '5',
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Metadata': 'filetype aW1hZ2UvcG5n',
    },
  })
  assert.is(refused.status, 413, refused.text)
  assert.is(main.objects.size, 0)
  assert.is(await server.newest(), null)
})

interface Prepared {
  errors: { code: string }[]
  files: { ticket?: string; error?: { code: string } }[]
}

async function prepare(server: TestServer, files: unknown[]): Promise<Prepared> {
  const prepared = await server.doors.http({
    ...{ method: 'POST', path: '/uploads/plain/prepare' },
    headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ann' },
    body: JSON.stringify({ files }),
  })
  // What prepare promises to answer.
  return prepared.json() as unknown as Prepared
}

async function ticketsFor(server: TestServer, files: unknown[]): Promise<string[]> {
  return (await prepare(server, files)).files.map(({ ticket = '' }) => ticket)
}

const batches: readonly [what: string, quota: object, sizes: number[], fits: boolean][] =
  [
    ['all the bytes there are', { bytes: 1_000 }, [400, 600], true],
    ['more bytes than there are', { bytes: 1_000 }, [400, 601], false],
    ['more files than there may be', { files: 1 }, [1, 1], false],
    ['more than its owner may have', { perOwner: { bytes: 10 } }, [5, 6], false],
  ]

for (const [what, given, sizes, fits] of batches) {
  test(`a batch with ${what} is told before a byte is sent, and reserves nothing`, async () => {
    const { server } = now
    await server.carcosa.api.usage.setQuota('default', given)
    const before = await refusals(server)
    const files = sizes.map((size, i) => ({ name: `${i}.bin`, size }))
    const answer = await prepare(server, files)
    const codes = answer.files.map(({ error }) => error?.code ?? null)
    assert.equal(
      [...new Set([...codes, ...answer.errors.map(({ code }) => code)])],
      [fits ? null : 'QUOTA_EXCEEDED'],
    )
    assert.equal(await usedOf(server), { bytes: 0, files: 0 })
    assert.is((await refusals(server)) - before, fits ? 0 : 1, 'and counted')
  })
}

test('a batch of unknown lengths is let through while there is any room for files', async () => {
  const { server } = now
  await server.carcosa.api.usage.setQuota('default', { bytes: 1 })
  assert.equal((await prepare(server, [{ name: 'a.bin', size: null }])).errors, [])
})

async function refusals({ carcosa }: TestServer): Promise<number> {
  const { body } = await carcosa.metrics()
  return parseMetrics(body).get('carcosa_quota_refusals_total') ?? Number.NaN
}

test('a ticket that is used again makes nothing more, also where there is no more room', async () => {
  const { server } = now
  const path = '/uploads/plain/prepare'
  const prepared = await server.doors.http({
    ...{ method: 'POST', path, headers: { 'Content-Type': 'application/json' } },
    body: JSON.stringify({ files: [{ name: 'a.bin', size: 600 }] }),
  })
  // What prepare promises to answer.
  const { files } = prepared.json() as unknown as { files: { ticket: string }[] }
  const headers = { 'Upload-Ticket': files[0]?.ticket ?? '' }
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => create(server, 600, { headers })),
  )
  answers.push(await create(server, 600, { headers }))
  const locations = new Set(answers.map(({ headers: { location } }) => location))
  assert.equal([...new Set(answers.map(({ status }) => status))], [201])
  assert.is(locations.size, 1)
  assert.equal(await usedOf(server), { bytes: 600, files: 1 })
})

// Unknown lengths.

for (const name of ['plain', 'parts']) {
  test(`SEC-14: ${name}: a deferred length reserves as it grows, and stops where the quota does`, async () => {
    const { server } = now
    const { http } = server.doors
    const made = await begin(server, name, { length: null })
    assert.equal(await usedOf(server), { bytes: 0, files: 1 })
    assert.is(
      (await patch(http, made.url, { offset: 0, body: 'x'.repeat(700) })).status,
      204,
    )
    assert.equal(await usedOf(server), { bytes: 700, files: 1 })
    const refused = await patch(http, made.url, { offset: 700, body: 'x'.repeat(301) })
    assert.is(refused.status, 413, refused.text)
    assert.is(refused.json().code, 'QUOTA_EXCEEDED')
    // What was accepted is kept, and the client may end it there.
    assert.is(await offsetOf(http, made.url), 700)
    assert.equal(await usedOf(server), { bytes: 700, files: 1 })
    const last = {
      offset: 700,
      body: 'y'.repeat(300),
      headers: { 'Upload-Length': '1000' },
    }
    assert.is((await patch(http, made.url, last)).status, 204)
    assert.is((await statusOf(server, made)).state, 'ready')
    assert.equal(await usedOf(server), { bytes: 1_000, files: 1 })
    const served = await http({ method: 'GET', path: `/files/${made.id}` })
    assert.is(served.text, 'x'.repeat(700) + 'y'.repeat(300))
  })
}

test('a length that is declared late and does not fit is refused, what was sent stays', async () => {
  const { server } = now
  const { http } = server.doors
  const made = await begin(server, 'plain', { length: null })
  await patch(http, made.url, { offset: 0, body: 'x'.repeat(10) })
  const headers = { 'Upload-Length': '1001' }
  const refused = await patch(http, made.url, { offset: 10, body: 'x', headers })
  assert.is(refused.json().code, 'QUOTA_EXCEEDED', refused.text)
  assert.is(await offsetOf(http, made.url), 10)
  assert.equal(await usedOf(server), { bytes: 10, files: 1 })
})

test('a stream without a length, sent by the program, is given up where the quota ends', async () => {
  const { server, main } = now
  const { files } = server.carcosa.api
  const chunks = Array.from({ length: 20 }, () => randomBytes(100))
  const error = await files
    .upload(Readable.from(chunks), { route: 'plain' })
    .catch((thrown: unknown) => thrown)
  assert.ok(hasCode(error, 'QUOTA_EXCEEDED'), String(error))
  assert.is(main.objects.size, 0)
  assert.equal(await usedOf(server), { bytes: 0, files: 0 })
  await files.upload(Readable.from(chunks.slice(0, 10)), { route: 'plain' })
  assert.equal(await usedOf(server), { bytes: 1_000, files: 1 })
})

test('objects that are imported count, and those without room are reported', async () => {
  const { server, main } = now
  for (const key of ['a', 'b', 'c'])
    await main.put(key, Readable.from([Buffer.alloc(400)]), {
      contentType: 'application/octet-stream',
      contentDisposition: 'inline',
      metadata: {},
    })
  const { files } = server.carcosa.api
  const report = await files.import({ store: 'main', route: 'plain', concurrency: 3 })
  assert.is(report.imported, 2)
  assert.is(report.failed, 1)
  assert.is(report.errors[0]?.code, 'QUOTA_EXCEEDED')
  assert.equal(await usedOf(server), { bytes: 800, files: 2 })
  const again = await files.import({ store: 'main', route: 'plain' })
  assert.equal([again.imported, again.known, again.failed], [0, 2, 1])
  assert.equal(await usedOf(server), { bytes: 800, files: 2 })
})

// Ends.

const ends: readonly [how: string, end: (scene: Scene) => Promise<{ url: string }>][] = [
  [
    'a client cancels an upload',
    async ({ server }) => {
      const made = await begin(server, 'plain', { length: 500 })
      await patch(server.doors.http, made.url, { offset: 0, body: 'x'.repeat(10) })
      const ended = await server.doors.http({ method: 'DELETE', path: made.url })
      assert.is(ended.status, 204, ended.text)
      return made
    },
  ],
  [
    'a client cancels an upload of unknown length',
    async ({ server }) => {
      const made = await begin(server, 'plain', { length: null })
      await patch(server.doors.http, made.url, { offset: 0, body: 'x'.repeat(10) })
      await server.doors.http({ method: 'DELETE', path: made.url })
      return made
    },
  ],
  [
    'the program deletes a file',
    async ({ server }) => {
      const made = await upload(server, 'plain', 'hello')
      assert.ok(await server.carcosa.api.files.delete(made.id))
      return made
    },
  ],
  [
    'an upload expires',
    async ({ server }) => {
      const made = await begin(server, 'small', { length: 500 })
      await new Promise((resolve) => setTimeout(resolve, 10))
      assert.is((await sweep(server.uploads)).expired, 1)
      return made
    },
  ],
  [
    'the bytes are of a type that the route does not take',
    async ({ server }) => {
      const metadata = { filetype: 'image/png' }
      const made = await begin(server, 'image', { length: 5, metadata })
      const sent = await patch(server.doors.http, made.url, { offset: 0, body: '%PDF-' })
      assert.is(sent.status, 415, sent.text)
      return made
    },
  ],
  [
    'the callback rejects a file',
    async ({ server }) => {
      const made = await upload(server, 'refused', 'hello')
      assert.is((await statusOf(server, made, 10)).state, 'rejected')
      return made
    },
  ],
  [
    'the store loses bytes of an upload',
    async ({ server, main }) => {
      const made = await begin(server, 'plain', { length: 500 })
      await patch(server.doors.http, made.url, { offset: 0, body: 'x'.repeat(10) })
      main.objects.clear()
      const sent = await patch(server.doors.http, made.url, { offset: 10, body: 'x' })
      assert.is(sent.status, 410, sent.text)
      return made
    },
  ],
  [
    'the store loses a file',
    async ({ server, main }) => {
      const made = await upload(server, 'plain', 'hello')
      await server.uploads.db.executeSql(
        "UPDATE carcosa.file SET stored_at = now() - interval '30 days', created_at = now() - interval '30 days', updated_at = now() - interval '30 days'",
      )
      main.objects.clear()
      await reconcile(server.uploads, {})
      return made
    },
  ],
]

for (const [how, end] of ends) {
  for (const where of ['Postgres', 'embedded'] as const) {
    test(`${how}: its room is given back, and once (${where})`, async () => {
      const here = where === 'embedded' ? embedded : now
      const { server } = here
      await begin(server, 'plain', { length: 100 })
      const { url } = await end(here)
      const row = await server.row(url)
      assert.ok(
        ['removed', 'expired', 'rejected', 'failed'].includes(row.state),
        row.state,
      )
      assert.equal(await usedOf(server), { bytes: 100, files: 1 })
      // Ended again in every way there is.
      await server.doors.http({ method: 'DELETE', path: url })
      await server.carcosa.api.files.delete(row.id)
      await server.carcosa.api.files.delete(row.id)
      await sweep(server.uploads)
      assert.equal(await usedOf(server), { bytes: 100, files: 1 })
    })
  }
}

// Many at once.

test('SEC-14: 100 parallel creations of which 50 fit: exactly 50 are let through, on two nodes', async () => {
  const { url, drop } = await postgres()
  const [one, two] = [await scene({ database: url }), await scene({ database: url })]
  try {
    await one.server.carcosa.api.usage.setQuota('default', { bytes: 50 * 7 + 6 })
    const nodes = [one.server, two.server]
    // Each has looked, and heard of nothing since: what one believes is no more than that there is a quota.
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => create(nodes[i % 2] ?? one.server, 7)),
    )
    const let_ = answers.filter(({ status }) => status === 201)
    const refused = answers.filter(({ status }) => status === 413)
    assert.is(let_.length, 50)
    assert.is(refused.length, 50)
    assert.equal(await usedOf(one.server), { bytes: 350, files: 50 })
    // All end at once, each on both nodes.
    const paths = let_.map(({ headers }) => headers.location ?? '')
    await Promise.all(
      nodes.flatMap(({ doors }) =>
        paths.map((path) => doors.http({ method: 'DELETE', path })),
      ),
    )
    assert.equal(await usedOf(one.server), { bytes: 0, files: 0 })
  } finally {
    await one.server.close()
    await two.server.close()
    await drop()
  }
})

test('SEC-14: uploads of unknown length that grow at once never have more than there is', async () => {
  const { server } = now
  const { http } = server.doors
  const made = await Promise.all(
    Array.from({ length: 10 }, () => begin(server, 'plain', { length: null })),
  )
  const answers = await Promise.all(
    made.map(({ url }) => patch(http, url, { offset: 0, body: 'x'.repeat(300) })),
  )
  assert.is(answers.filter(({ status }) => status === 204).length, 3)
  assert.is(answers.filter(({ status }) => status === 413).length, 7)
  assert.equal(await usedOf(server), { bytes: 900, files: 10 })
})

test('SEC-13: 1,000 uploads of the greatest length that nobody goes on with: refused, then swept', async () => {
  const { server } = now
  await server.carcosa.api.usage.setQuota('default', { bytes: '3MB' })
  const most = 1024 * 1024
  const statuses: Record<number, number> = {}
  for (let i = 0; i < 20; i++) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => create(server, most, { route: 'small' })),
    )
    for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1
  }
  assert.equal(statuses, { 201: 3, 413: 997 })
  assert.equal(await usedOf(server), { bytes: 3 * most, files: 3 })
  assert.is((await sweep(server.uploads)).expired, 3)
  assert.equal(await usedOf(server), { bytes: 0, files: 0 })
  assert.is((await create(server, most)).status, 201)
})

// Owners.

test('each owner has a part of their own, and the project one for all', async () => {
  const { server } = now
  const perOwner = { bytes: 300, files: 2 }
  await server.carcosa.api.usage.setQuota('default', { bytes: 500, perOwner })
  const as = (name: string, length: number) =>
    create(server, length, { headers: { Authorization: `Bearer ${name}` } })
  assert.is((await as('ann', 250)).status, 201)
  const refused = await as('ann', 51)
  assert.equal(refused.json().details, {
    of: 'owner',
    size: 51,
    quotaBytes: 300,
    usedBytes: 250,
    quotaFiles: 2,
    usedFiles: 1,
  })
  assert.is((await as('ann', 0)).status, 201)
  assert.is((await as('ann', 0)).status, 413)
  assert.is((await as('bob', 301)).status, 413)
  assert.is((await as('bob', 200)).status, 201)
  const project = await as('cid', 51)
  assert.match(project.text, /The project may store/)
  assert.is((await create(server, 50)).status, 201)
  assert.equal(await usedOf(server), { bytes: 500, files: 4 })
})

// Setting it.

test('a quota counts what was there before it, and one that is lowered takes nothing away', async () => {
  const { server } = now
  const { usage } = server.carcosa.api
  await usage.setQuota('default', null)
  const made = await upload(server, 'plain', 'x'.repeat(2_000))
  const begun = await begin(server, 'plain', { length: 300 })
  const set = await usage.setQuota('default', { bytes: 1_000 })
  assert.is(set.usedBytes, 2_300)
  assert.equal(await usedOf(server), { bytes: 2_300, files: 2 })
  assert.is((await create(server, 0)).status, 413)
  const sent = await patch(server.doors.http, begun.url, {
    ...{ offset: 0, body: 'x'.repeat(300) },
  })
  assert.is(sent.status, 204, 'what has its room goes on')
  await server.carcosa.api.files.delete(made.id)
  assert.equal(await usedOf(server), { bytes: 300, files: 1 })
  assert.is((await create(server, 700)).status, 201)
})

test('a quota that is lifted and set again counts right', async () => {
  const { server } = now
  const { usage } = server.carcosa.api
  const kept = await upload(server, 'plain', 'x'.repeat(100))
  await usage.setQuota('default', null)
  assert.is((await create(server, 5_000)).status, 201)
  await server.carcosa.api.files.delete(kept.id)
  assert.is((await usage.quota())?.bytes, null)
  await usage.setQuota('default', { bytes: 10_000 })
  assert.equal(await usedOf(server), { bytes: 5_000, files: 1 })
})

test('counters that are wrong are mended, while uploads come and go', async () => {
  const { server } = now
  const { usage } = server.carcosa.api
  await usage.setQuota('default', { bytes: '1GB' })
  const headers = { Authorization: 'Bearer ann' }
  for (let i = 0; i < 5; i++) await create(server, 100, { headers })
  await server.uploads.db.executeSql(`UPDATE carcosa.quota SET used_bytes = 7, used_files = 99;
    UPDATE carcosa.owner_usage SET used_bytes = 1;
    UPDATE carcosa.file SET reserved = NULL WHERE id = (SELECT min(id) FROM carcosa.file)`)
  const busy = Array.from({ length: 20 }, async () => {
    const made = await begin(server, 'plain', { length: 10, headers })
    await server.doors.http({ method: 'DELETE', path: made.url, headers })
  })
  await Promise.all([usage.recount(), usage.recount(), ...busy])
  await usage.recount()
  assert.equal(await usedOf(server), { bytes: 500, files: 5 })
  assert.equal(await usage.recount(), {
    files: 0,
    drift: { bytes: 0, files: 0 },
    owners: 0,
  })
})

const wrong: readonly [what: string, quota: unknown][] = [
  ['nothing', {}],
  ['a word', 'much'],
  ['a list', []],
  ['less than nothing', { bytes: -1 }],
  ['half a file', { files: 0.5 }],
  ['text for files', { files: '10' }],
  ['no size', { bytes: '10 pieces' }],
  ['something else', { bytes: 1, color: 'red' }],
  ['something else for owners', { perOwner: { days: 1 } }],
  ['too much', { bytes: 2 ** 53 }],
]

for (const [what, given] of wrong) {
  test(`a quota of ${what} is refused`, async () => {
    const error = await now.server.carcosa.api.usage
      .setQuota('default', given as never)
      .catch((thrown: unknown) => thrown)
    assert.ok(hasCode(error, 'BAD_REQUEST'), String(error))
  })
}

test('there is no quota for a project that does not exist', async () => {
  const error = await now.server.carcosa.api.usage
    .setQuota('nowhere', { bytes: 1 })
    .catch((thrown: unknown) => thrown)
  assert.ok(hasCode(error, 'PROJECT_NOT_FOUND'), String(error))
})

test.run()
