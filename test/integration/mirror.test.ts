/** A second store: what is stored gets a copy there, and readers get it in need. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findCopies } from '../../src/files/copies.ts'
import { createRouter, route } from '../../src/index.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { type Logger, silentLogger } from '../../src/shared/logger.ts'
import { mirror } from '../../src/upkeep/mirror.ts'
import { type MemoryStore, memory } from '../../stores/memory.ts'
import { jobsOf, statusOf, upload } from '../support/lifecycle.ts'
import { eventually } from '../support/raw-http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const open = { maxFileSize: '16MB', acl: 'public-read' } as const
const router = createRouter({
  kept: route({ blob: open }).public().mirror('archive'),
  called: route({ blob: open })
    .public()
    .mirror('archive')
    .onUploadComplete(({ file }) => file.size),
  single: route({ blob: open }).public(),
})

interface Context {
  server: TestServer
  main: MemoryStore
  archive: MemoryStore
  /** What was logged as a warning. */
  warnings: { message: string; fields: Record<string, unknown> }[]
}

// Filled by the hooks below before any test runs.
const test = suite('a mirrored route', {} as Context)

test.before(async (context) => {
  context.main = memory()
  context.archive = memory()
  context.warnings = []
  const { main, archive, warnings } = context
  const logger: Logger = {
    ...silentLogger,
    warn: (fields, message) => void warnings.push({ message, fields }),
  }
  context.server = await startServer({ router, logger, store: { main, archive } })
})
test.after(({ server }) => server.close())
test.before.each(({ warnings }) => {
  warnings.length = 0
})

const never = new AbortController().signal

/** Uploads to `kept` and lets its job run. */
async function mirrored({ server }: Context, body: Buffer | string): Promise<string> {
  const { id } = await upload(server, 'kept', body)
  await mirror(server.uploads, id, never)
  return id
}

function read({ server }: Context, id: string, headers: Record<string, string> = {}) {
  return server.doors.http({ method: 'GET', path: `/files/${id}`, headers })
}

async function failing<T>(
  store: MemoryStore,
  change: Partial<MemoryStore>,
  work: () => Promise<T>,
): Promise<T> {
  const before = { ...store }
  Object.assign(store, change)
  return work().finally(() => Object.assign(store, before))
}

test('a job is enqueued with the file, and copies it', async (context) => {
  const { server, archive } = context
  const made = await upload(server, 'kept', 'content')
  assert.equal(await jobsOf(server, made), ['file.mirror'])
  assert.not(archive.objects.has(made.id))
  await mirror(server.uploads, made.id, never)
  assert.is(archive.objects.get(made.id)?.bytes.toString(), 'content')
  const copies = await findCopies(server.uploads.db, made.id)
  assert.equal(copies, [{ storeName: 'archive', key: made.id }])
})

test('the job may run twice, and copies once', async (context) => {
  const { server, archive } = context
  const id = await mirrored(context, 'content')
  const { modifiedAt } = archive.objects.get(id) ?? {}
  await sleep(5)
  await mirror(server.uploads, id, never)
  assert.is(archive.objects.get(id)?.modifiedAt, modifiedAt)
})

test('a route with a callback has both jobs, one without a mirror none', async (context) => {
  const { server } = context
  const called = await upload(server, 'called', 'content')
  assert.equal(await jobsOf(server, called), ['file.mirror', 'upload.complete'])
  assert.is((await statusOf(server, called, 5)).state, 'ready')
  assert.equal(await jobsOf(server, await upload(server, 'single', 'content')), [])
})

test('a file that was stored in the mirror itself needs no copy', async ({ server }) => {
  const { files } = server.carcosa.api
  const { id } = await files.upload('content', { route: 'kept', store: 'archive' })
  assert.equal(await jobsOf(server, { id, url: '' }), [])
  await mirror(server.uploads, id, never)
  assert.equal(await findCopies(server.uploads.db, id), [])
})

test('the job fails while the mirror is out of order, and then succeeds', async (context) => {
  const { server, archive } = context
  const { id } = await upload(server, 'kept', 'content')
  const put = () => Promise.reject(new CarcosaError('STORAGE_UNAVAILABLE'))
  const error = await failing(archive, { put }, () =>
    mirror(server.uploads, id, never).catch((error) => error.code),
  )
  assert.is(error, 'STORAGE_UNAVAILABLE')
  await mirror(server.uploads, id, never)
  assert.ok(archive.objects.has(id))
})

test('of a file that was deleted before, nothing is copied', async (context) => {
  const { server, archive } = context
  const { id } = await upload(server, 'kept', 'content')
  await server.carcosa.api.files.delete(id)
  await mirror(server.uploads, id, never)
  assert.not(archive.objects.has(id))
})

const unavailable = () => Promise.reject(new CarcosaError('STORAGE_UNAVAILABLE'))
const losses: [what: string, lose: (store: MemoryStore, id: string) => unknown][] = [
  ['lost', ({ objects }, id) => objects.delete(id)],
  [
    'cut off',
    ({ objects }, id) => {
      const object = objects.get(id)
      if (object) object.bytes = object.bytes.subarray(0, 3)
    },
  ],
  [
    'called corrupt',
    (store) =>
      Object.assign(store, {
        open: () => Promise.reject(new CarcosaError('STORAGE_CORRUPT')),
      }),
  ],
  ['out of reach', (store) => Object.assign(store, { open: unavailable })],
]

for (const [what, lose] of losses) {
  test(`a file whose object is ${what} is read from its copy`, async (context) => {
    const { main, warnings } = context
    const id = await mirrored(context, '0123456789')
    await failing(main, {}, async () => {
      lose(main, id)
      assert.is((await read(context, id)).text, '0123456789')
      const ranged = await read(context, id, { range: 'bytes=2-4' })
      assert.equal([ranged.status, ranged.text], [206, '234'])
      const several = await read(context, id, { range: 'bytes=0-1,8-9' })
      assert.is(several.status, 206)
      assert.match(several.text, /\r\n01\r\n[\s\S]*\r\n89\r\n/)
    })
    assert.is(warnings[0]?.message, 'a file cannot be read from its own store')
    const { store, copies } = warnings[0]?.fields ?? {}
    assert.equal([store, copies], ['main', ['archive']])
  })
}

test('of an empty file the copy counts, too', async (context) => {
  const id = await mirrored(context, '')
  context.main.objects.delete(id)
  assert.is((await read(context, id)).status, 200)
  context.archive.objects.delete(id)
  assert.is((await read(context, id)).status, 500)
})

test('without a copy, or with one that is lost too, the answer is what it was', async (context) => {
  const { server, main, archive } = context
  const { id } = await upload(server, 'single', 'content')
  main.objects.delete(id)
  assert.is((await read(context, id)).json().code, 'STORAGE_CORRUPT')
  const other = await mirrored(context, 'content')
  archive.objects.delete(other)
  const answer = await failing(main, { open: unavailable }, () => read(context, other))
  assert.is(answer.json().code, 'STORAGE_UNAVAILABLE')
})

test('while all is well the copy is not asked for', async (context) => {
  const id = await mirrored(context, 'content')
  const { length } = context.archive.opened
  assert.is((await read(context, id)).text, 'content')
  assert.equal([context.archive.opened.length, context.warnings.length], [length, 0])
})

test('deleting the file deletes the copy', async (context) => {
  const { server, main, archive } = context
  const id = await mirrored(context, 'content')
  await server.carcosa.api.files.delete(id)
  assert.equal([main.objects.has(id), archive.objects.has(id)], [false, false])
})

test('a worker does it by itself, and again after a failure', async () => {
  const [main, archive] = [memory(), memory()]
  const { put } = archive
  let tries = 0
  Object.assign(archive, {
    put: (...args: Parameters<typeof put>) =>
      tries++ === 0 ? unavailable() : put(...args),
  })
  const store = { main, archive }
  const server = await startServer({ router, store, worker: true })
  try {
    const { id } = await upload(server, 'kept', 'content')
    await eventually(
      async () => (await findCopies(server.uploads.db, id)).length,
      (count) => count === 1,
      30_000,
    )
    assert.is(tries, 2)
    assert.is(archive.objects.get(id)?.bytes.toString(), 'content')
  } finally {
    await server.close()
  }
})

test('a mirror that is no store is refused at the start', async () => {
  const error = await startServer({ router, store: { main: memory() } }).catch(
    (error) => error,
  )
  assert.is(error.code, 'STORE_UNKNOWN')
  assert.match(error.message, /"kept".*"archive".*main/)
})

test.run()

const choice = suite('the store of an upload')

const chosen = createRouter({
  named: route(['blob']).public().store('b'),
  byName: route(['blob'])
    .public()
    .store(({ file }) => file.name || 'a'),
  byMetadata: route(['blob'])
    .public()
    .middleware(({ files }) => ({ tenant: files[0]?.name }))
    .store(({ metadata }) => metadata.tenant ?? 'a'),
})

choice('is what its route, its request or its program says', async () => {
  const server = await startServer({
    router: chosen,
    store: { a: memory(), b: memory() },
  })
  const { files } = server.carcosa.api
  const storeOf = async (id: string) => (await server.row(id)).storeName
  try {
    const named = await upload(server, 'named', 'x')
    assert.is(await storeOf(named.id), 'b')
    for (const name of ['a', 'b']) {
      for (const route of ['byName', 'byMetadata']) {
        const sent = { body: 'x', metadata: { filename: name } }
        const { id } = await upload(server, route, sent)
        assert.is(await storeOf(id), name, route)
      }
      const given = await files.upload('x', { route: 'named', store: name })
      assert.is(given.storeName, name)
    }
    const refused = files.upload('x', { route: 'named', store: 'nowhere' })
    assert.is(await refused.catch(({ code }) => code), 'STORE_UNKNOWN')
    const answer = await server.doors.http({
      method: 'POST',
      path: '/uploads/byName',
      headers: {
        'Upload-Length': '1',
        'Upload-Metadata': `filename ${Buffer.from('nowhere').toString('base64')}`,
      },
    })
    assert.is(answer.json().code, 'STORE_UNKNOWN')
  } finally {
    await server.close()
  }
})

choice.run()
