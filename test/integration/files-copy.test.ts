/** `carcosa.api.files.copy`: files of one store in another, none lost and none invented. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findCopies } from '../../src/files/copies.ts'
import { createRouter, route } from '../../src/index.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import type { CopyOptions } from '../../src/upkeep/copy-files.ts'
import type { FaultPoint } from '../../src/uploads/faults.ts'
import type { ProgramUpload } from '../../src/uploads/from-program.ts'
import { remove } from '../../src/uploads/lifecycle.ts'
import { sweep } from '../../src/uploads/sweep.ts'
import { type MemoryStore, memory } from '../../stores/memory.ts'
import { s3 } from '../../stores/s3.ts'
import type { Store } from '../../stores/store.ts'
import { type S3Fake, startS3Fake } from '../support/s3-fake.ts'
import { startServer, type TestServer } from '../support/server.ts'

const open = { maxFileSize: '16MB', acl: 'public-read' } as const
const router = createRouter({
  demo: route({ blob: open }).public(),
  other: route({ blob: open }).public(),
})

interface Context {
  server: TestServer
  a: MemoryStore
  b: MemoryStore
  fake: S3Fake
  /** Called at the fault points of copying. */
  at: Map<FaultPoint, () => Promise<unknown>>
}

// Filled by the hooks below before any test runs.
const test = suite('copying files', {} as Context)

test.before(async (context) => {
  context.fake = await startS3Fake()
  context.at = new Map()
  const { at } = context
  const faults = async (point: FaultPoint) => void (await at.get(point)?.())
  context.a = memory()
  context.b = memory()
  const store = { a: context.a, b: context.b, c: s3Store(context.fake) }
  context.server = await startServer({ router, store }, { faults })
})
test.after(async ({ server, fake }) => {
  await server.close()
  await fake.close()
})
test.before.each(async ({ server, a, b, fake, at }) => {
  await server.uploads.db.executeSql('TRUNCATE carcosa.file, carcosa.copy_lease CASCADE')
  for (const { objects } of [a, b]) objects.clear()
  fake.reset()
  at.clear()
})

function s3Store({ endpoint, bucket }: S3Fake): Store {
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' }
  return s3({ endpoint, bucket, credentials, forcePathStyle: true, prefix: 'p/' })
}

const upload = (
  { server }: Context,
  body: string | Buffer,
  options: Partial<ProgramUpload> = {},
) => server.carcosa.api.files.upload(body, { route: 'demo', store: 'a', ...options })

const copy = ({ server }: Context, options: Partial<CopyOptions> = {}) =>
  server.carcosa.api.files.copy({ from: 'a', to: 'b', ...options })

async function placesOf({ server }: Context, id: string): Promise<string[]> {
  const { storeName } = await server.row(id)
  const copies = await findCopies(server.uploads.db, id)
  return [storeName, ...copies.map((place) => place.storeName)]
}

async function readFile({ server }: Context, id: string): Promise<string> {
  return (await server.doors.http({ method: 'GET', path: `/files/${id}` })).text
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}

const sha256 = (bytes: string | Buffer) =>
  createHash('sha256').update(bytes).digest('hex')

test('copies every file of a store, and skips them all when done again', async (context) => {
  const { a, b } = context
  const bodies = ['', 'one', 'two', 'x'.repeat(100_000)]
  const files = []
  for (const body of bodies) files.push(await upload(context, body))
  const first = await copy(context)
  assert.equal(first, {
    copied: 4,
    skipped: 0,
    switched: 0,
    failed: 0,
    bytes: 100_006,
    errors: [],
    interrupted: false,
  })
  for (const { id, key } of files) {
    assert.ok(a.objects.get(key)?.bytes.equals(b.objects.get(key)?.bytes ?? Buffer.of(1)))
    assert.equal(await placesOf(context, id), ['a', 'b'])
  }
  const written = [...b.objects.values()].map(({ modifiedAt }) => modifiedAt)
  const second = await copy(context)
  assert.equal([second.copied, second.skipped, second.bytes], [0, 4, 0])
  assert.equal(
    [...b.objects.values()].map(({ modifiedAt }) => modifiedAt),
    written,
  )
})

test('gives the object in S3 its type, its name and its id', async (context) => {
  const { fake } = context
  const big = Buffer.alloc(3_000_000, 'pattern')
  const files = [
    await upload(context, 'text', { filename: 'grün.txt', type: 'text/plain' }),
    await upload(context, big, { filename: 'big.bin' }),
  ]
  const { copied, bytes, errors } = await copy(context, { to: 'c' })
  assert.equal([copied, bytes, errors], [2, big.length + 4, []])
  const [small, large] = files.map(({ key }) => fake.objects.get(`p/${key}`))
  assert.is(small?.headers['content-type'], 'text/plain; charset=utf-8')
  assert.match(small?.headers['content-disposition'] ?? '', /filename\*=UTF-8''gr%C3%BCn/)
  assert.is(small?.headers['x-amz-meta-carcosa-id'], files[0]?.id)
  assert.is(large?.size, big.length)
})

test('a small file costs S3 one PUT and one HEAD', async (context) => {
  await upload(context, 'small')
  context.fake.forgetRequests()
  await copy(context, { to: 'c' })
  assert.equal(
    context.fake.requests.map(({ operation }) => operation),
    ['PutObject', 'HeadObject'],
  )
})

test('copies out of S3 as well, parts and all', async (context) => {
  const big = Buffer.alloc(9_000_000, 'abcdefg')
  const { id, key } = await upload(context, big, { store: 'c' })
  assert.is((await copy(context, { from: 'c', to: 'b' })).copied, 1)
  assert.ok(context.b.objects.get(key)?.bytes.equals(big))
  assert.equal(await placesOf(context, id), ['c', 'b'])
})

test('a dry run counts and does nothing', async (context) => {
  await upload(context, 'one')
  await copy(context)
  await upload(context, 'three')
  const before = [...context.b.objects.keys()]
  const report = await copy(context, { dryRun: true, switch: true })
  assert.equal([report.copied, report.skipped, report.switched], [1, 1, 2])
  assert.is(report.bytes, 5)
  assert.equal([...context.b.objects.keys()], before)
  assert.is((await copy(context)).copied, 1)
})

test('a route may be chosen; progress tells of each file', async (context) => {
  await upload(context, 'one')
  await upload(context, 'other', { route: 'other' })
  const seen: unknown[] = []
  const { copied } = await copy(context, {
    route: 'other',
    onProgress: (progress) => seen.push(progress),
  })
  assert.is(copied, 1)
  const counts = { copied: 1, skipped: 0, switched: 0, failed: 0, bytes: 5 }
  assert.equal(seen, [{ ...counts, files: 1, totalBytes: 5 }])
})

test('--switch makes the copy the file and the file the copy', async (context) => {
  const { id, key } = await upload(context, 'content')
  const report = await copy(context, { switch: true })
  assert.equal([report.copied, report.switched, report.failed], [1, 1, 0])
  assert.equal(await placesOf(context, id), ['b', 'a'])
  context.a.objects.delete(key)
  assert.is(await readFile(context, id), 'content')
})

test('--switch done again does nothing, and back again only changes rows', async (context) => {
  const { id } = await upload(context, 'content')
  await copy(context, { switch: true })
  const again = await copy(context, { switch: true })
  assert.equal([again.copied, again.skipped, again.switched], [0, 0, 0])
  const back = await copy(context, { from: 'b', to: 'a', switch: true })
  assert.equal([back.copied, back.skipped, back.switched], [0, 1, 1])
  assert.equal(await placesOf(context, id), ['a', 'b'])
})

test('--switch does not trust a copy whose object is gone', async (context) => {
  const { id, key } = await upload(context, 'content')
  await copy(context)
  context.b.objects.delete(key)
  const { copied, switched } = await copy(context, { switch: true })
  assert.equal([copied, switched], [1, 1])
  assert.is(context.b.objects.get(key)?.bytes.toString(), 'content')
  assert.equal(await placesOf(context, id), ['b', 'a'])
})

test('a digest that was not known is recorded', async (context) => {
  const { id } = await upload(context, 'content')
  await context.server.uploads.db.executeSql('UPDATE carcosa.file SET sha256 = NULL')
  await copy(context)
  assert.is((await context.server.row(id)).sha256, sha256('content'))
})

const damages: [what: string, damage: (store: MemoryStore, key: string) => void][] = [
  ['gone', ({ objects }, key) => void objects.delete(key)],
  [
    'changed',
    ({ objects }, key) =>
      void objects.set(key, { ...finished, bytes: Buffer.from('CONTENT') }),
  ],
  [
    'too short',
    ({ objects }, key) =>
      void objects.set(key, { ...finished, bytes: Buffer.from('con') }),
  ],
  [
    'too long',
    ({ objects }, key) =>
      void objects.set(key, { ...finished, bytes: Buffer.from('content!') }),
  ],
]
const finished = { finished: true, modifiedAt: new Date() }

for (const [what, damage] of damages) {
  test(`an object that is ${what} is reported, and the others are copied`, async (context) => {
    const { a, b } = context
    const bad = await upload(context, 'content')
    const good = await upload(context, 'good')
    damage(a, bad.key)
    const { copied, failed, errors } = await copy(context, { switch: true })
    assert.equal([copied, failed], [1, 1])
    assert.equal(
      errors.map(({ id, code }) => [id, code]),
      [[bad.id, 'STORAGE_CORRUPT']],
    )
    assert.equal([...b.objects.keys()], [good.key])
    assert.equal(await placesOf(context, bad.id), ['a'])
  })
}

test('of a large file that is changed nothing is left either', async (context) => {
  const { key } = await upload(context, Buffer.alloc(3_000_000, 'a'))
  context.a.objects.get(key)?.bytes.write('b', 2_999_999)
  const [error] = (await copy(context)).errors
  assert.is(error?.code, 'STORAGE_CORRUPT')
  assert.is(context.b.objects.size, 0)
})

test('a read that breaks off is reported, and nothing is left of it', async (context) => {
  const { a, b } = context
  await upload(context, Buffer.alloc(3_000_000, 'a'))
  const run = copy(context)
  while (a.opened.at(-1)?.destroyed !== false) await sleep(1)
  a.opened.at(-1)?.destroy(new Error('the disk is on fire'))
  const [error] = (await run).errors
  assert.is(error?.code, 'STORAGE_UNAVAILABLE')
  assert.is(b.objects.size, 0)
})

test('a store that keeps less than it was given is not believed', async (context) => {
  const { server, b } = context
  const { id } = await upload(context, 'content')
  const put = b.put
  Object.assign(b, {
    put: (key: string, _body: unknown, info: object) =>
      put(key, Buffer.from('cont'), { ...info, size: 4 }),
  })
  const report = await copy(context).finally(() => Object.assign(b, { put }))
  assert.equal([report.copied, report.failed], [0, 1])
  assert.is(b.objects.size, 0)
  assert.equal(await findCopies(server.uploads.db, id), [])
  assert.is((await copy(context)).copied, 1)
})

test('a file that is deleted while it is copied leaves no object', async (context) => {
  const { server, a, b, at } = context
  const { id } = await upload(context, 'content')
  at.set('copy:before-commit', () => server.carcosa.api.files.delete(id))
  const { copied, skipped, failed } = await copy(context, { switch: true })
  assert.equal([copied, skipped, failed], [0, 1, 0])
  assert.equal([a.objects.size, b.objects.size], [0, 0])
})

test('a file that is deleted before it is read is no failure', async (context) => {
  const { server } = context
  const files = [await upload(context, 'one'), await upload(context, 'two')]
  const [first, second] = files.map(({ id }) => id).sort()
  const onProgress = async () => void (await 0)
  context.at.set('copy:before-commit', () =>
    server.carcosa.api.files.delete(second ?? ''),
  )
  const report = await copy(context, { concurrency: 1, onProgress })
  assert.equal([report.copied, report.skipped, report.failed], [1, 1, 0])
  assert.equal(await placesOf(context, first ?? ''), ['a', 'b'])
})

test('two runs at once copy each file once', async (context) => {
  const { fake } = context
  for (let i = 0; i < 12; i++) await upload(context, `file ${i}`)
  fake.faults.delayMs = () => 20
  const runs = [copy(context, { to: 'c' }), copy(context, { to: 'c' })]
  const reports = await Promise.all(runs)
  const sum = (name: 'copied' | 'skipped' | 'failed') =>
    reports.reduce((total, report) => total + report[name], 0)
  assert.equal([sum('copied'), sum('skipped'), sum('failed')], [12, 12, 0])
  assert.is(fake.count('PutObject'), 12)
})

test('a run that is aborted says so, leaves no half, and goes on when done again', async (context) => {
  const { fake } = context
  for (let i = 0; i < 10; i++) await upload(context, Buffer.alloc(2_000_000, `${i}`))
  fake.faults.delayMs = () => 30
  const abort = new AbortController()
  const onProgress = () => abort.abort()
  const options = { to: 'c', concurrency: 2 }
  const first = await copy(context, { ...options, signal: abort.signal, onProgress })
  assert.ok(first.interrupted)
  assert.ok(first.copied >= 1 && first.copied < 10, `${first.copied}`)
  assert.equal([first.failed, fake.objects.size], [0, first.copied])
  const second = await copy(context, options)
  assert.not(second.interrupted)
  assert.equal([second.copied, second.skipped], [10 - first.copied, first.copied])
  assert.is(fake.objects.size, 10)
})

test('an object of somebody else under the same key is left alone', async (context) => {
  const { server, a, b } = context
  a.objects.set('photos/cat.jpg', { ...finished, bytes: Buffer.from('mine') })
  b.objects.set('photos/cat.jpg', { ...finished, bytes: Buffer.from('not mine') })
  await server.carcosa.api.files.import({ store: 'a', route: 'demo' })
  const { copied, errors } = await copy(context, { switch: true })
  assert.equal([copied, errors], [1, []])
  assert.is(b.objects.get('photos/cat.jpg')?.bytes.toString(), 'not mine')
  const [file] = (await server.carcosa.api.files.list()).files
  assert.is(file?.storeName, 'b')
  assert.is(file?.key, file?.id)
  assert.is(await readFile(context, file?.id ?? ''), 'mine')
})

test('what a writer that died left is overwritten, an imported key too', async (context) => {
  const { server, a, b, at } = context
  a.objects.set('cat.jpg', { ...finished, bytes: Buffer.from('mine') })
  await server.carcosa.api.files.import({ store: 'a', route: 'demo' })
  const { db } = server.uploads
  at.set('copy:before-commit', () => db.executeSql('DELETE FROM carcosa.copy_lease'))
  await copy(context)
  at.clear()
  // As if it had died before it could clean up: its claim is over, its half object is there.
  b.objects.set('cat.jpg', { ...finished, bytes: Buffer.from('mi') })
  await db.executeSql(
    `INSERT INTO carcosa.copy_lease VALUES ('copy b cat.jpg', 'dead', now() - interval '1 s')`,
  )
  assert.is((await copy(context)).copied, 1)
  assert.is(b.objects.get('cat.jpg')?.bytes.toString(), 'mine')
})

const refused: [options: Partial<CopyOptions>, code: string][] = [
  [{ from: 'nowhere' }, 'STORE_UNKNOWN'],
  [{ to: 'nowhere' }, 'STORE_UNKNOWN'],
  [{ to: 'a' }, 'BAD_REQUEST'],
  [{ concurrency: 0 }, 'BAD_REQUEST'],
  [{ concurrency: 1.5 }, 'BAD_REQUEST'],
]
for (const [options, code] of refused) {
  test(`${JSON.stringify(options)} is refused with ${code}`, async (context) => {
    assert.is(await refusal(copy(context, options)), code)
  })
}

test('deleting a file deletes its copies', async (context) => {
  const { server, a, b } = context
  const { id } = await upload(context, 'content')
  await copy(context)
  await copy(context, { to: 'c' })
  assert.ok(await server.carcosa.api.files.delete(id))
  assert.equal([a.objects.size, b.objects.size, context.fake.objects.size], [0, 0, 0])
  assert.ok((await server.row(id)).purgedAt)
  assert.equal(await findCopies(server.uploads.db, id), [])
})

test('a file is not purged before its last copy is gone', async (context) => {
  const { server, a, b } = context
  const { id } = await upload(context, 'content')
  await copy(context)
  const remove = b.remove
  Object.assign(b, { remove: () => Promise.reject(new Error('out of order')) })
  await server.carcosa.api.files.delete(id)
  Object.assign(b, { remove })
  assert.equal([a.objects.size, b.objects.size], [0, 1])
  assert.is((await server.row(id)).purgedAt, null)
  assert.is((await sweep(server.uploads)).purged, 1)
  assert.is(b.objects.size, 0)
  assert.ok((await server.row(id)).purgedAt)
})

test('a file that moved since it was read is deleted where it is now', async (context) => {
  const { server, a, b } = context
  const before = await upload(context, 'content')
  await copy(context, { switch: true })
  await remove(server.uploads, before)
  assert.equal([a.objects.size, b.objects.size], [0, 0])
  assert.ok((await server.row(before.id)).purgedAt)
})

test('closing ends a run', async () => {
  const [from, to] = [memory(), memory()]
  const server = await startServer({ router, store: { a: from, b: to } })
  for (let i = 0; i < 6; i++) {
    await server.carcosa.api.files.upload(Buffer.alloc(3_000_000), { route: 'demo' })
  }
  const run = server.carcosa.api.files.copy({ from: 'a', to: 'b', concurrency: 1 })
  while (to.objects.size < 2) await sleep(5)
  await server.close()
  const { interrupted, copied, failed } = await run
  assert.ok(interrupted && copied < 6 && failed === 0)
  assert.is(to.objects.size, copied)
})

test.run()
