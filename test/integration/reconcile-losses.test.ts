/** What reconciling does about files and copies whose objects are lost. */
import * as assert from 'uvu/assert'
import { eventsOf, jobsOf } from '../support/lifecycle.ts'
import {
  ageMemory,
  clean,
  copied,
  found,
  reconcile,
  reconcilingSuite,
  stored,
  stray,
} from '../support/reconciling.ts'

const test = reconcilingSuite('reconciling what is lost')

test('a file whose object is gone has failed, with an event', async ({
  server,
  main,
}) => {
  await stored(server)
  const { id, key } = await stored(server)
  main.objects.delete(key)
  const report = await reconcile(server)
  const { checked, failed, examples } = report.stores[0]?.missing ?? {}
  assert.equal({ checked, failed, examples }, { checked: 2, failed: 1, examples: [id] })
  assert.ok(report.needsAttention)
  const { state, failure } = await server.row(id)
  assert.equal([state, failure?.code], ['failed', 'STORAGE_CORRUPT'])
  assert.is((await eventsOf(server, { id, url: '' })).at(-1), 'file.failed')
  const again = await reconcile(server)
  assert.equal([found(again), again.needsAttention], [clean, false])
})

test('so has one whose object has another size, which stays', async ({
  server,
  main,
}) => {
  await stored(server)
  const { id, key } = await stored(server)
  stray(main, key)
  const object = main.objects.get(key)
  if (object) object.bytes = Buffer.from('hello and more')
  await reconcile(server)
  assert.is((await server.row(id)).state, 'failed')
  assert.equal(found(await reconcile(server)), clean)
  assert.ok(main.objects.has(key))
})

test('a file that is lost goes on as its copy', async ({ server, main, mirror }) => {
  await stored(server)
  const file = await stored(server, 'precious')
  await copied(server, file, 'mirror')
  main.objects.delete(file.key)
  ageMemory(mirror)
  const report = await reconcile(server)
  assert.equal([report.stores[0]?.missing?.restored, report.needsAttention], [1, false])
  const { state, storeName, key } = await server.row(file.id)
  assert.equal([state, storeName, key], ['ready', 'mirror', file.key])
  assert.is((await eventsOf(server, { id: file.id, url: '' })).at(-1), 'file.restored')
  const answer = await server.doors.http({ method: 'GET', path: `/files/${file.id}` })
  assert.equal([answer.status, answer.text], [200, 'precious'])
  assert.equal(found(await reconcile(server)), clean)
})

test('a copy that is not there is forgotten and made again, one that is stays', async (context) => {
  const { server, mirror } = context
  const [first, second] = [await stored(server), await stored(server)]
  for (const file of [first, second]) await copied(server, file, 'mirror')
  mirror.objects.delete(first.key)
  ageMemory(mirror)
  const [, report] = (await reconcile(server)).stores
  assert.equal([report?.missing?.checked, report?.missing?.forgotten], [2, 1])
  assert.ok(mirror.objects.has(second.key))
  assert.is((await server.row(first.id)).state, 'ready')
  assert.ok((await jobsOf(server, { id: first.id, url: '' })).includes('file.mirror'))
  assert.equal(found(await reconcile(server)), clean)
})

test('a file is not given up while its copy cannot be asked for', async (context) => {
  const { server, main, mirror } = context
  await stored(server)
  const file = await stored(server)
  await copied(server, file, 'mirror')
  main.objects.delete(file.key)
  const { stat } = mirror
  mirror.stat = () => Promise.reject(new Error('down'))
  const [report] = (await reconcile(server, { store: 'main' })).stores
  mirror.stat = stat
  assert.is(report?.missing?.failed, 0)
  assert.match(report?.errors.examples[0] ?? '', /repairing .*down/)
  assert.is((await server.row(file.id)).state, 'ready')
})

test('where too many are lost nothing is changed, unless it is forced', async (context) => {
  const { server, main } = context
  const files = await Promise.all(Array.from({ length: 20 }, () => stored(server)))
  for (const { key } of files.slice(0, 11)) main.objects.delete(key)
  const report = await reconcile(server)
  const { brake, failed, skipped } = report.stores[0]?.missing ?? {}
  assert.equal([brake, failed, report.needsAttention], [true, 0, true])
  assert.match(skipped ?? '', /11 of 20 .*bucket.*credentials/)
  for (const { id } of files) assert.is((await server.row(id)).state, 'ready')
  assert.is((await reconcile(server, { force: true })).stores[0]?.missing?.failed, 11)
})

test('where all are lost, however few, nothing is changed', async ({ server, main }) => {
  await Promise.all([stored(server), stored(server)])
  main.objects.clear()
  assert.is((await reconcile(server)).stores[0]?.missing?.brake, true)
})

test('two nodes at once do everything once', async ({ server, main, mirror }) => {
  const files = await Promise.all(Array.from({ length: 30 }, () => stored(server)))
  for (const { key } of files.slice(0, 5)) main.objects.delete(key)
  for (const file of files.slice(5, 10)) {
    await copied(server, file, 'mirror')
    main.objects.delete(file.key)
  }
  ageMemory(mirror)
  stray(main, 'stray')
  const reports = await Promise.all([
    reconcile(server, { store: 'main' }),
    reconcile(server, { store: 'main' }),
  ])
  const sum = (name: 'failed' | 'restored') =>
    reports.reduce((all, { stores }) => all + (stores[0]?.missing?.[name] ?? 0), 0)
  assert.equal([sum('failed'), sum('restored')], [5, 5])
  const states = await Promise.all(files.map(async ({ id }) => server.row(id)))
  assert.is(states.filter(({ state }) => state === 'failed').length, 5)
  assert.is(states.filter(({ storeName }) => storeName === 'mirror').length, 5)
})

test('a store that cannot be listed is asked for each file', async ({ server, main }) => {
  const { list } = main
  Reflect.deleteProperty(main, 'list')
  await Promise.all(Array.from({ length: 3 }, () => stored(server)))
  const { id, key } = await stored(server)
  main.objects.delete(key)
  stray(main, 'stray')
  const [report] = (await reconcile(server)).stores
  Object.assign(main, { list })
  assert.equal([report?.missing?.checked, report?.missing?.failed], [4, 1])
  assert.is(report?.orphans.found, 0)
  assert.is((await server.row(id)).state, 'failed')
})

test('more files than one page are all looked for', async ({ server, main }) => {
  await server.uploads.db.executeSql(
    `INSERT INTO carcosa.file (id, project_id, route, state, size, "offset", store_name, key, stored_at)
     SELECT 'file-' || n, 'default', 'demo', 'ready', 5, 5, 'main', 'file-' || n, now() - interval '1 day'
     FROM generate_series(1, 1234) n`,
  )
  for (let n = 1; n <= 1234; n++) if (n % 200 > 0) stray(main, `file-${n}`)
  const [report] = (await reconcile(server)).stores
  assert.equal([report?.missing?.checked, report?.missing?.failed], [1234, 6])
  assert.is(report?.orphans.found, 0)
})

test.run()
