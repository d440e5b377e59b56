/** `carcosa.api.files.import`: objects that were there before Carcosa. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createRouter,
  type FileRecord,
  type ImportOptions,
  route,
} from '../../src/index.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { recordDigest } from '../../src/uploads/completion.ts'
import type { FaultPoint } from '../../src/uploads/faults.ts'
import { type MemoryStore, memory } from '../../stores/memory.ts'
import { s3 } from '../../stores/s3.ts'
import { begin, eventsOf, jobsOf } from '../support/lifecycle.ts'
import { type S3Fake, startS3Fake } from '../support/s3-fake.ts'
import { startServer, type TestServer } from '../support/server.ts'

let callbacks = 0
const router = createRouter({
  demo: route({ blob: { maxFileSize: '16MB', acl: 'public-read' } })
    .public()
    .onUploadComplete(() => callbacks++),
  pictures: route({
    image: { maxFileSize: '1KB', acl: 'public-read', contentDisposition: 'attachment' },
  }).public(),
  mirrored: route(['blob']).public().mirror('b'),
})

interface Context {
  server: TestServer
  a: MemoryStore
  b: MemoryStore
  fake: S3Fake
  at: Map<FaultPoint, () => Promise<unknown>>
}

// Filled by the hooks below before any test runs.
const test = suite('importing objects', {} as Context)

test.before(async (context) => {
  context.fake = await startS3Fake()
  context.at = new Map()
  const { at, fake } = context
  const { endpoint, bucket } = fake
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' }
  const c = s3({ endpoint, bucket, credentials, forcePathStyle: true, prefix: 'p/' })
  const { list, ...mute } = memory()
  context.a = memory()
  context.b = memory()
  const faults = async (point: FaultPoint) => void (await at.get(point)?.())
  const store = { a: context.a, b: context.b, c, mute }
  context.server = await startServer({ router, store }, { faults })
})
test.after(async ({ server, fake }) => {
  await server.close()
  await fake.close()
})
test.before.each(async ({ server, a, b, fake, at }) => {
  await server.uploads.db.executeSql('TRUNCATE carcosa.file, carcosa.copy_lease CASCADE')
  await server.uploads.db.executeSql('TRUNCATE carcosa.event')
  for (const { objects } of [a, b]) objects.clear()
  fake.reset()
  at.clear()
})

const then = new Date('2020-02-03T04:05:06.789Z')
const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

function put({ objects }: MemoryStore, key: string, bytes: Buffer | string): void {
  objects.set(key, { bytes: Buffer.from(bytes), finished: true, modifiedAt: then })
}

const importInto = ({ server }: Context, options: Partial<ImportOptions> = {}) =>
  server.carcosa.api.files.import({ store: 'a', route: 'demo', ...options })

async function byKey({ server }: Context): Promise<Map<string, FileRecord>> {
  const { files } = await server.carcosa.api.files.list({ limit: 500 })
  return new Map(files.map((file) => [file.key, file]))
}

const nothing = {
  ...{ imported: 0, known: 0, refused: 0, failed: 0, bytes: 0, warned: 0 },
  ...{ errors: [], warnings: [], interrupted: false },
}

test('an object becomes a file where it is', async (context) => {
  const { server, a } = context
  put(a, 'photos/2020/cat.png', png)
  assert.equal(await importInto(context), { ...nothing, imported: 1, bytes: 16 })
  const file = (await byKey(context)).get('photos/2020/cat.png')
  assert.is(file?.state, 'ready')
  assert.is(file?.filename, 'cat.png')
  assert.is(file?.contentType, 'image/png')
  assert.equal([file?.size, file?.offset], [16, 16])
  assert.equal([file?.createdAt, file?.storedAt, file?.readyAt], [then, then, then])
  assert.equal([file?.acl, file?.route, file?.ownerId], ['public-read', 'demo', null])
  const answer = await server.doors.http({ method: 'GET', path: `/files/${file?.id}` })
  assert.is(answer.status, 200)
  assert.is(answer.headers['content-length'], '16')
  assert.is(answer.headers['last-modified'], 'Mon, 03 Feb 2020 04:05:06 GMT')
  assert.ok(a.objects.get('photos/2020/cat.png')?.bytes.equals(png))
})

test('its events and the job for its digest come with its row, its callback does not run', async (context) => {
  const { server, a } = context
  put(a, 'one', 'content')
  await importInto(context)
  const { id = '' } = (await byKey(context)).get('one') ?? {}
  const file = { id, url: '' }
  const types = ['file.created', 'file.stored', 'file.ready']
  assert.equal(await eventsOf(server, file), types)
  assert.equal(await jobsOf(server, file), ['upload.digest'])
  await recordDigest(server.uploads, id)
  const sha256 = createHash('sha256').update('content').digest('hex')
  assert.is((await server.row(id)).sha256, sha256)
  await sleep(50)
  assert.is(callbacks, 0)
})

test('done again it finds nothing new, and at once twice everything once', async (context) => {
  for (let i = 0; i < 30; i++) put(context.a, `dir/${i}`, `${i}`)
  const [one, two] = await Promise.all([importInto(context), importInto(context)])
  assert.is(one.imported + two.imported, 30)
  assert.is(one.known + two.known, 30)
  assert.equal(await importInto(context), { ...nothing, known: 30 })
  assert.is((await byKey(context)).size, 30)
})

test('uploads, copies and what was deleted are known', async (context) => {
  const { server, a, b } = context
  const { files } = server.carcosa.api
  await files.upload('finished', { route: 'demo', store: 'a' })
  await begin(server, 'demo', { length: 10 })
  const removed = await files.upload('removed', { route: 'demo', store: 'a' })
  await files.delete(removed.id)
  put(a, removed.key, 'back from the dead')
  await files.copy({ from: 'a', to: 'b' })
  assert.equal(await importInto(context), { ...nothing, known: 2 })
  assert.equal(await importInto(context, { store: 'b' }), { ...nothing, known: 1 })
  assert.is(b.objects.size, 1)
})

test('what is being copied into the store right now is not adopted', async (context) => {
  const { server, at } = context
  const { files } = server.carcosa.api
  await files.upload('content', { route: 'demo', store: 'a' })
  const reports: unknown[] = []
  at.set('copy:before-commit', async () =>
    reports.push(await importInto(context, { store: 'b' })),
  )
  assert.is((await files.copy({ from: 'a', to: 'b' })).copied, 1)
  assert.equal(reports, [{ ...nothing, known: 1 }])
})

test('only what begins with the prefix, for the owner that is named', async (context) => {
  for (const key of ['a/1', 'a/2', 'ab', 'b/1']) put(context.a, key, key)
  const report = await importInto(context, { prefix: 'a/', ownerId: 'ann' })
  assert.is(report.imported, 2)
  const files = await byKey(context)
  assert.equal([...files.keys()].sort(), ['a/1', 'a/2'])
  assert.equal(
    [...files.values()].map(({ ownerId }) => ownerId),
    ['ann', 'ann'],
  )
})

test('a dry run counts and does nothing', async (context) => {
  for (const key of ['one', 'two', 'thrée']) put(context.a, key, 'x')
  const opened = context.a.opened.length
  const { errors, ...report } = await importInto(context, { dryRun: true })
  const { errors: none, ...expected } = nothing
  assert.equal(report, { ...expected, imported: 2, bytes: 2, refused: 1 })
  assert.equal(
    errors.map(({ key, code }) => [key, code]),
    [['thrée', 'BAD_REQUEST']],
  )
  assert.is(context.a.opened.length, opened)
  assert.is((await byKey(context)).size, 0)
})

const badKeys = [
  'ümlaut',
  'a b',
  'a//b',
  '/a',
  '../a',
  'a/./b',
  'a\n',
  'a/',
  'x'.repeat(513),
]
test('a key that no store could keep is reported, and the rest imported', async (context) => {
  for (const key of [...badKeys, 'good']) put(context.a, key, 'x')
  const { imported, refused, failed, errors } = await importInto(context)
  assert.equal([imported, refused, failed], [1, badKeys.length, 0])
  assert.equal(errors.map(({ key }) => key).sort(), [...badKeys].sort())
  assert.is(context.a.objects.size, badKeys.length + 1)
})

test('the rule of the route says who may read and how; its limits only warn', async (context) => {
  const { a } = context
  put(a, 'small.png', png)
  put(a, 'large.png', Buffer.concat([png, Buffer.alloc(2000)]))
  put(a, 'page.html', '<!doctype html><html></html>')
  const report = await importInto(context, { route: 'pictures' })
  assert.equal([report.imported, report.warned, report.failed], [3, 2, 0])
  const warned = report.warnings.map(({ key, code }) => `${key} ${code}`).sort()
  assert.equal(warned, ['large.png FILE_TOO_LARGE', 'page.html TYPE_NOT_ALLOWED'])
  const shown = [...(await byKey(context))].map(([key, file]) =>
    [key, file.acl, file.contentDisposition, file.contentType].join(' '),
  )
  assert.equal(shown.sort(), [
    'large.png public-read attachment image/png',
    'page.html private inline text/html',
    'small.png public-read attachment image/png',
  ])
})

test('an empty object is a file, and one that vanishes meanwhile is none', async (context) => {
  const { a } = context
  put(a, 'empty.txt', '')
  put(a, 'vanishing', 'x')
  const open = a.open
  Object.assign(a, {
    open: async (key: string) => (key === 'vanishing' ? null : open(key)),
  })
  const report = await importInto(context).finally(() => Object.assign(a, { open }))
  assert.equal([report.imported, report.failed], [1, 0])
  const file = (await byKey(context)).get('empty.txt')
  assert.equal([file?.size, file?.contentType], [0, 'text/plain'])
})

test('an object that cannot be read is reported, and the rest imported', async (context) => {
  const { a } = context
  for (const key of ['one', 'broken', 'two']) put(a, key, 'x')
  const open = a.open
  const failing = async (key: string) => {
    if (key === 'broken') throw new CarcosaError('STORAGE_UNAVAILABLE')
    return open(key)
  }
  Object.assign(a, { open: failing })
  const report = await importInto(context).finally(() => Object.assign(a, { open }))
  assert.equal([report.imported, report.failed], [2, 1])
  assert.equal(
    report.errors.map(({ key, code }) => [key, code]),
    [['broken', 'STORAGE_UNAVAILABLE']],
  )
  assert.equal(await importInto(context), { ...nothing, imported: 1, known: 2, bytes: 1 })
})

test('out of S3, below the prefix of the store only', async (context) => {
  const { server, fake } = context
  fake.putObject('p/photos/cat.png', png)
  fake.putObject('elsewhere/dog.png', png)
  assert.is((await importInto(context, { store: 'c' })).imported, 1)
  const file = (await byKey(context)).get('photos/cat.png')
  const path = `/files/${file?.id}`
  assert.is((await server.doors.http({ method: 'GET', path })).status, 200)
  assert.is(fake.count('PutObject') + fake.count('CopyObject'), 0)
})

test('a file of a mirrored route gets its copy by a job', async (context) => {
  put(context.a, 'one', 'content')
  await importInto(context, { route: 'mirrored' })
  const { id = '' } = (await byKey(context)).get('one') ?? {}
  const jobs = await jobsOf(context.server, { id, url: '' })
  assert.equal(jobs, ['file.mirror', 'upload.digest'])
})

test('a run that is aborted says so, and goes on when done again', async (context) => {
  for (let i = 0; i < 50; i++) put(context.a, `${i}`, 'x')
  const abort = new AbortController()
  const onProgress = () => abort.abort()
  const first = await importInto(context, { signal: abort.signal, onProgress })
  assert.ok(first.interrupted && first.imported > 0 && first.imported < 50)
  const second = await importInto(context)
  assert.equal([second.imported, second.known], [50 - first.imported, first.imported])
})

const refused: [options: Partial<ImportOptions>, code: string][] = [
  [{ store: 'nowhere' }, 'STORE_UNKNOWN'],
  [{ route: 'none' }, 'ROUTE_NOT_FOUND'],
  [{ store: 'mute' }, 'BAD_REQUEST'],
  [{ concurrency: 65 }, 'BAD_REQUEST'],
]
for (const [options, code] of refused) {
  test(`${JSON.stringify(options)} is refused with ${code}`, async (context) => {
    const said = await importInto(context, options).catch((error) => error.code)
    assert.is(said, code)
  })
}

test.run()
