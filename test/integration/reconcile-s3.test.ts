/** Reconciling with S3: multipart uploads, prefixes, and what belongs to others. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRouter, route } from '../../src/index.ts'
import { type S3StoreOptions, s3 } from '../../stores/s3.ts'
import { begin } from '../support/lifecycle.ts'
import { ageS3, forgetAllRows } from '../support/reconciling.ts'
import { patch } from '../support/records.ts'
import { type S3Fake, startS3Fake } from '../support/s3-fake.ts'
import { startServer, type TestServer } from '../support/server.ts'

const MiB = 1024 * 1024
const router = createRouter({
  demo: route({ blob: { maxFileSize: '64MB', acl: 'public-read' } }).public(),
})

const fake = await startS3Fake()
const given = {
  bucket: fake.bucket,
  endpoint: fake.endpoint,
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
  partSize: 5 * MiB,
}
const prefix = 'carcosa/'
const oldFake = (key: string) => {
  fake.putObject(key, 'stray')
  ageS3(fake)
}

/** Begins a multipart upload that never reaches a row. */
async function leak(key: string): Promise<void> {
  const path = `${fake.endpoint}/${fake.bucket}/${key}?uploads`
  // The fake wants a signature, and does not verify it.
  const authorization =
    'AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x'
  const answer = await fetch(path, { method: 'POST', headers: { authorization } })
  assert.is(answer.status, 200, await answer.text())
  ageS3(fake)
}

const keysOf = ({ objects }: S3Fake) => [...objects.keys()].sort()
const uploadsOf = ({ uploads }: S3Fake) => [...uploads.values()].map(({ key }) => key)

async function serving(options: Partial<S3StoreOptions> = {}): Promise<TestServer> {
  return startServer({ router, store: s3({ ...given, ...options }) })
}

const own = suite('reconciling with S3')
let server: TestServer
own.before(async () => {
  server = await serving()
})
own.before.each(async () => {
  fake.reset()
  await forgetAllRows(server)
})
own.after(() => server.close())

const stored = (size = 5) =>
  server.carcosa.api.files.upload(Buffer.alloc(size, 1), { route: 'demo' })
const reconcile = async () => {
  const report = await server.carcosa.api.stores.reconcile()
  const [store] = report.stores
  assert.ok(store?.missing)
  return { ...store, missing: store.missing }
}

own(
  'a multipart upload that leaked beside a finished object is aborted alone',
  async () => {
    const { id, key } = await stored(6 * MiB)
    await leak(prefix + key)
    await leak(`${prefix}never-a-row`)
    const { unfinished, orphans, missing } = await reconcile()
    assert.equal([unfinished.found, unfinished.removed], [2, 2])
    assert.equal([orphans.found, missing.found], [0, 0])
    assert.equal(uploadsOf(fake), [])
    assert.equal(keysOf(fake), [prefix + key])
    const file = await server.doors.http({ method: 'GET', path: `/files/${id}` })
    assert.equal([file.status, file.text.length], [200, 6 * MiB])
    assert.is((await reconcile()).unfinished.found, 0)
  },
)

own('an upload that is not finished keeps its own, and only that', async () => {
  const upload = await begin(server, 'demo', { length: 11 * MiB })
  const { http } = server.doors
  const body = Buffer.alloc(6 * MiB, 1)
  assert.is((await patch(http, upload.url, { offset: 0, body })).status, 204)
  await leak(`${prefix}${(await server.row(upload.id)).key}`)
  assert.is(fake.uploads.size, 2)
  const { unfinished } = await reconcile()
  assert.equal([unfinished.found, unfinished.removed], [1, 1])
  assert.is(fake.uploads.size, 1)
  const rest = Buffer.alloc(5 * MiB, 1)
  const { status } = await patch(http, upload.url, { offset: 6 * MiB, body: rest })
  assert.is(status, 204)
  assert.is((await server.row(upload.id)).state, 'ready')
})

own('an upload that began a moment ago is not touched, whoever began it', async () => {
  await stored()
  await leak(`${prefix}somebody`)
  for (const upload of fake.uploads.values()) upload.initiated = new Date()
  assert.is((await reconcile()).unfinished.found, 0)
  assert.is(fake.uploads.size, 1)
})

own('objects without a file are removed below the prefix only', async () => {
  const { key } = await stored()
  const foreign = ['elsewhere/object', 'carcosa-not/object', 'object']
  for (const name of [...foreign, `${prefix}stray`]) oldFake(name)
  for (const name of ['elsewhere/upload', 'carcosa-not/upload']) await leak(name)
  const { orphans, unfinished } = await reconcile()
  assert.equal([orphans.found, orphans.removed, unfinished.found], [1, 1, 0])
  assert.equal(keysOf(fake), [...foreign, prefix + key].sort())
  assert.is(fake.uploads.size, 2)
})

own('a file whose object was deleted has failed', async () => {
  await stored()
  const { id, key } = await stored()
  fake.deleteObject(prefix + key)
  assert.is((await reconcile()).missing.failed, 1)
  assert.is((await server.row(id)).state, 'failed')
})

own('what agrees costs a request a thousand files, and none for each', async () => {
  await Promise.all(Array.from({ length: 20 }, () => stored()))
  fake.forgetRequests()
  await reconcile()
  assert.equal([fake.count('ListObjectsV2'), fake.count('HeadObject')], [1, 0])
  assert.is(fake.count(), 2)
})

own('objects and uploads of more than one page are all seen', async () => {
  const kept = await stored()
  await server.uploads.db.executeSql(
    `INSERT INTO carcosa.file (id, project_id, route, state, size, "offset", store_name, key, stored_at)
     SELECT 'file-' || n, 'default', 'demo', 'ready', 5, 5, 'default', 'file-' || n, now()
     FROM generate_series(1, 1100) n`,
  )
  for (let n = 1; n <= 1100; n++) fake.putObject(`${prefix}file-${n}`, 'hello')
  fake.putObject(`${prefix}stray`, 'stray')
  ageS3(fake)
  const { orphans, missing } = await reconcile()
  assert.equal([orphans.removed, missing.checked, missing.found], [1, 1101, 0])
  assert.ok(fake.objects.has(prefix + kept.key))
})

own.run()

const bare = suite('reconciling with S3 without a prefix')
bare('collects nothing, because it may belong to others', async () => {
  fake.reset()
  const whole = await serving({ prefix: '' })
  try {
    const files = whole.carcosa.api.files
    await files.upload('hello', { route: 'demo' })
    const { id, key } = await files.upload('hello', { route: 'demo' })
    fake.deleteObject(key)
    oldFake('somebody-elses')
    await leak('somebody-elses-upload')
    const report = await whole.carcosa.api.stores.reconcile({ force: true })
    const [store] = report.stores
    assert.match(store?.orphans.skipped ?? '', /prefix/)
    assert.match(store?.unfinished.skipped ?? '', /prefix/)
    assert.ok(fake.objects.has('somebody-elses'))
    assert.is(fake.uploads.size, 1)
    assert.equal([store?.missing?.checked, store?.missing?.failed], [2, 1])
    assert.is((await whole.row(id)).state, 'failed')
    assert.is(fake.count('ListObjectsV2'), 0)
  } finally {
    await whole.close()
  }
})
bare.after(() => fake.close())
bare.run()
