/** What is counted, by what was done through the front door. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError, createRouter, route } from '../../../src/index.ts'
import { sweep } from '../../../src/uploads/sweep.ts'
import { memory } from '../../../stores/memory.ts'
import { statusOf, upload } from '../../support/lifecycle.ts'
import { metricKinds, parseMetrics, type Samples } from '../../support/metrics.ts'
import { eventually, openRaw } from '../../support/raw-http.ts'
import { created, metadataHeader, offsetStream, patch } from '../../support/records.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const any = { blob: { maxFileSize: '1MB', acl: 'public-read' } } as const
const router = createRouter({
  plain: route(any).public(),
  images: route({ image: { maxFileSize: '1MB' } }).public(),
  brief: route(any).public().expiresIn(1),
  other: route(any).public().store('second'),
  called: route(any)
    .public()
    .onUploadComplete(() => sleep(20, 'done')),
  refusing: route(any)
    .public()
    .onUploadComplete(() => {
      throw new CarcosaError('UPLOAD_REJECTED')
    }),
})

const test = suite('metrics')
let server: TestServer
test.before.each(async () => {
  server = await startServer({ router, store: { first: memory(), second: memory() } })
})
test.after.each(() => server.close())

const text = async () => (await server.carcosa.metrics()).body
const samples = async (): Promise<Samples> => parseMetrics(await text())

test('an upload is counted once at each of its steps', async () => {
  const url = await created(server.doors.http, { route: 'plain', length: 10 })
  await patch(server.doors.http, url, { offset: 0, body: 'hello' })
  const before = await samples()
  assert.is(before.get('carcosa_uploads_created_total{route="plain"}'), 1)
  assert.is(before.get('carcosa_uploads_finished_total{route="plain"}'), 0)
  await patch(server.doors.http, url, { offset: 5, body: 'world' })
  const after = await samples()
  assert.is(after.get('carcosa_uploads_finished_total{route="plain"}'), 1)
  assert.is(after.get('carcosa_upload_duration_seconds_count{route="plain"}'), 1)
  assert.is(after.get('carcosa_bytes_received_total{route="plain",store="first"}'), 10)
  assert.is(after.get('carcosa_requests_total{method="PATCH",status="204"}'), 2)
  assert.is(after.get('carcosa_requests_total{method="POST",status="201"}'), 1)
  assert.is(after.get('carcosa_request_duration_seconds_count{method="PATCH"}'), 2)
  assert.is(after.get('carcosa_lock_wait_seconds_count'), 3)
  assert.is(after.get('carcosa_locks_held'), 0)
  assert.is(after.get('carcosa_uploads_active'), 0)
})

test('an upload of the program is counted like any other', async () => {
  await server.carcosa.api.files.upload('four', { route: 'other' })
  const found = await samples()
  assert.is(found.get('carcosa_bytes_received_total{route="other",store="second"}'), 4)
  assert.is(found.get('carcosa_uploads_finished_total{route="other"}'), 1)
})

test('while a body comes in it is active and holds its lease', async () => {
  const url = await created(server.doors.http, { route: 'plain', length: 10 })
  const raw = await openRaw(server.port)
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': '10',
  })
  await eventually(
    async () => (await samples()).get('carcosa_uploads_active'),
    (active) => active === 1,
  )
  assert.is((await samples()).get('carcosa_locks_held'), 1)
  raw.cut()
  await eventually(
    async () => (await samples()).get('carcosa_uploads_active'),
    (active) => active === 0,
  )
})

test('who waits for a lease is in its histogram with the time it took', async () => {
  const url = await created(server.doors.http, { route: 'plain', length: 10 })
  const raw = await openRaw(server.port)
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': '10',
  })
  await sleep(100)
  await patch(server.doors.http, url, { offset: 0, body: 'x' })
  const sum = (await samples()).get('carcosa_lock_wait_seconds_sum') ?? 0
  assert.ok(sum > 0.5 && sum < 5, `${sum} s`)
  raw.cut()
})

test('ends are counted: removed, refused, expired', async () => {
  const url = await created(server.doors.http, { route: 'plain', length: 10 })
  await server.doors.http({ method: 'DELETE', path: url })
  const image = await created(server.doors.http, {
    route: 'images',
    length: 5,
    headers: { 'Upload-Metadata': metadataHeader({ filetype: 'image/png' }) },
  })
  const refused = await patch(server.doors.http, image, { offset: 0, body: 'hello' })
  assert.is(refused.status, 415)
  await created(server.doors.http, { route: 'brief', length: 10 })
  await sleep(20)
  await sweep(server.uploads)
  const said = await upload(server, 'refusing', 'hello')
  await eventually(
    async () => (await statusOf(server, said)).state,
    (state) => state === 'rejected',
  )
  const found = await samples()
  assert.is(found.get('carcosa_uploads_terminated_total{route="plain"}'), 1)
  assert.is(
    found.get('carcosa_uploads_rejected_total{route="images",code="TYPE_NOT_ALLOWED"}'),
    1,
  )
  assert.is(
    found.get('carcosa_uploads_rejected_total{route="refusing",code="UPLOAD_REJECTED"}'),
    1,
  )
  assert.is(found.get('carcosa_uploads_expired_total'), 1)
})

test('errors are counted by status and code, those of HEAD too', async () => {
  await server.doors.http({ method: 'GET', path: '/nowhere' })
  await server.doors.http({
    method: 'HEAD',
    path: '/uploads/plain/AAAAAAAAAAAAAAAAAAAAAAAA',
  })
  await server.doors.fetch({ method: 'POST', path: '/uploads/nothing' })
  const found = await samples()
  for (const [status, code] of [
    [404, 'NOT_FOUND'],
    [404, 'UPLOAD_NOT_FOUND'],
    [404, 'ROUTE_NOT_FOUND'],
  ]) {
    const name = `carcosa_errors_total{status="${status}",code="${code}"}`
    assert.is(found.get(name), 1, name)
  }
})

test('a callback is in its histogram, whether it fails or not', async () => {
  const { url, id } = await upload(server, 'called', 'hello')
  await statusOf(server, { url, id }, 5)
  const found = await samples()
  assert.is(found.get('carcosa_callback_duration_seconds_count{route="called"}'), 1)
  const sum = found.get('carcosa_callback_duration_seconds_sum{route="called"}') ?? 0
  assert.ok(sum >= 0.015 && sum < 5, `${sum} s`)
})

test('whatever clients send, the number of series is bounded', async () => {
  for (let i = 0; i < 20; i++) {
    const asked = { method: `X${i}`, path: '/uploads/plain' }
    await server.doors.fetch(asked)
    await server.doors.http({ method: 'GET', path: `/uploads/route-${i}/id` })
    await server.doors.http({ method: 'GET', path: `/files/${i}` })
  }
  const body = await text()
  assert.not.match(
    body,
    /route-\d|X\d|method="(?!GET|HEAD|POST|PATCH|DELETE|OPTIONS|PUT|other)/,
  )
  assert.match(body, /carcosa_requests_total\{method="other",status="405"\} 20/)
})

test('who listens to events is counted as long as that lasts', async () => {
  const url = await created(server.doors.http, { route: 'plain', length: 10 })
  const raw = await openRaw(server.port)
  raw.ask('GET', `/events?file=${url.split('/').at(-1)}`)
  const subscribers = async () => (await samples()).get('carcosa_event_subscribers')
  await eventually(subscribers, (count) => count === 1)
  raw.cut()
  await eventually(subscribers, (count) => count === 0)
})

test('jobs are counted by queue, and however many scrape, not more often than every 15 s', async () => {
  await server.uploads.jobs.enqueue(null, 'upload.digest', { fileId: 'x' })
  const queries = countQueries(server)
  await Promise.all(Array.from({ length: 50 }, samples))
  const found = await samples()
  assert.is(found.get('carcosa_jobs_queued{queue="upload.digest"}'), 1)
  assert.is(found.get('carcosa_jobs_failed{queue="upload.digest"}'), 0)
  assert.is(found.get('carcosa_jobs_queued{queue="upload.complete"}'), 0)
  assert.not([...found.keys()].some((name) => name.includes('__')))
  assert.is(queries(), 1)
})

test('the pool of connections is told', async () => {
  const found = await samples()
  assert.ok((found.get('carcosa_database_pool_size') ?? 0) >= 1)
  assert.ok((found.get('carcosa_database_pool_idle') ?? 0) >= 0)
  assert.is(found.get('carcosa_database_pool_waiting'), 0)
})

test('they are still told when the database is gone, without what it knows', async () => {
  await server.carcosa.close()
  const found = await samples()
  assert.is(found.get('carcosa_uploads_active'), 0)
  assert.not([...found.keys()].some((name) => name.startsWith('carcosa_jobs')))
})

test('two of them in one process do not know of each other, and leave the process to its owner', async () => {
  const other = await startServer({ database: 'memory://' })
  try {
    await other.carcosa.api.files.upload('four', { route: 'demo' })
    const theirs = await other.carcosa.metrics()
    assert.match(theirs.contentType, /^text\/plain; version=0\.0\.4/)
    const found = parseMetrics(theirs.body)
    assert.is(found.get('carcosa_uploads_finished_total{route="demo"}'), 1)
    assert.not.match(theirs.body, /process_cpu|nodejs_|carcosa_database_pool/)
    assert.not.match(await text(), 'demo')
  } finally {
    await other.close()
  }
})

test('names follow the rules of Prometheus: one prefix, base units, counters end in _total', async () => {
  for (const [name, kind] of metricKinds(await text())) {
    assert.match(name, /^carcosa_[a-z_]+$/)
    assert.is(kind === 'counter', name.endsWith('_total'), name)
    if (kind === 'histogram') assert.match(name, /_seconds$/)
  }
})

test.run()

/** Counts the statements that count jobs from now on. */
function countQueries({ uploads }: TestServer): () => number {
  const { db } = uploads
  const { query } = db
  let count = 0
  db.query = (statement, values) => {
    if (statement.name === 'jobs_count') count++
    return query(statement, values)
  }
  return () => count
}
