/** What reconciling stores and database removes from stores, and what it leaves alone. */
import * as assert from 'uvu/assert'
import { begin } from '../support/lifecycle.ts'
import {
  ageMemory,
  clean,
  copied,
  found,
  longAgo,
  reconcile,
  reconcilingSuite,
  stored,
  stray,
} from '../support/reconciling.ts'
import { patch } from '../support/records.ts'

const test = reconcilingSuite('reconciling')

test('of stores and rows that agree nothing is touched', async ({ server, main }) => {
  const files = [await stored(server, ''), await stored(server), await stored(server)]
  ageMemory(main)
  const report = await reconcile(server)
  assert.equal(found(report), clean)
  assert.is(report.stores[0]?.missing?.checked, 3)
  assert.not.ok(report.needsAttention)
  for (const { key } of files) assert.ok(main.objects.has(key))
})

test('an old object that no file knows is removed, a young one is not', async (context) => {
  const { server, main } = context
  const { key } = await stored(server)
  ageMemory(main)
  stray(main, 'stray-and-old')
  stray(main, 'stray-and-young', new Date(Date.now() - 24 * 3_600_000))
  const [report] = (await reconcile(server)).stores
  const { removed, bytes, examples } = report?.orphans ?? {}
  assert.equal(
    { removed, bytes, examples },
    {
      removed: 1,
      bytes: 5,
      examples: ['stray-and-old'],
    },
  )
  assert.equal([...main.objects.keys()].sort(), [key, 'stray-and-young'].sort())
  assert.equal(found(await reconcile(server)), clean)
})

test('the object of a file that was deleted and came back is removed', async (context) => {
  const { server, main } = context
  await stored(server)
  const { id, key } = await stored(server)
  await server.carcosa.api.files.delete(id)
  stray(main, key)
  assert.is((await reconcile(server)).stores[0]?.orphans.removed, 1)
  assert.not.ok(main.objects.has(key))
})

test('an unfinished upload is not touched, however old it is', async ({
  server,
  main,
}) => {
  const upload = await begin(server, 'demo', { length: 10 })
  const { http } = server.doors
  assert.is((await patch(http, upload.url, { offset: 0, body: 'hello' })).status, 204)
  for (const object of main.objects.values()) {
    // Like a store that cannot tell finished objects from others.
    Object.assign(object, { finished: true, modifiedAt: longAgo })
  }
  assert.equal(found(await reconcile(server, { force: true })), clean)
  assert.is((await patch(http, upload.url, { offset: 5, body: 'world' })).status, 204)
  assert.is((await server.row(upload.id)).state, 'ready')
})

test('what expired is ended and deleted first, unless one store is asked for', async (context) => {
  const { server, main } = context
  const upload = await begin(server, 'demo', { length: 10 })
  await patch(server.doors.http, upload.url, { offset: 0, body: 'hello' })
  await server.uploads.db.executeSql(
    "UPDATE carcosa.file SET expires_at = now() - interval '1 ms'",
  )
  assert.is((await reconcile(server, { store: 'main' })).swept, null)
  const dry = await reconcile(server, { dryRun: true })
  assert.equal(dry.swept, { expired: 1, purged: 1 })
  assert.is((await server.row(upload.id)).state, 'receiving')
  assert.equal((await reconcile(server)).swept, { expired: 1, purged: 1 })
  assert.is(main.objects.size, 0)
})

test('where too much belongs to nobody nothing is removed, unless it is forced', async (context) => {
  const { server, main } = context
  await stored(server)
  for (let n = 0; n < 11; n++) stray(main, `stray-${n}`)
  const report = await reconcile(server)
  const { brake, removed, skipped } = report.stores[0]?.orphans ?? {}
  assert.equal([brake, removed, report.needsAttention], [true, 0, true])
  assert.match(skipped ?? '', /11 of 12 .*database/)
  assert.is(main.objects.size, 12)
  assert.is((await reconcile(server, { force: true })).stores[0]?.orphans.removed, 11)
})

test('a database that never used the store removes nothing from it', async (context) => {
  const { server, main } = context
  stray(main, 'somebody-elses')
  assert.is((await reconcile(server)).stores[0]?.orphans.brake, true)
  assert.ok(main.objects.has('somebody-elses'))
})

test('a store under a new name keeps the objects of the old one', async (context) => {
  const { server, main } = context
  await stored(server)
  await server.uploads.db.executeSql(
    "UPDATE carcosa.file SET store_name = 'before it was renamed'",
  )
  ageMemory(main)
  assert.equal(found(await reconcile(server, { force: true })), clean)
  assert.is(main.objects.size, 1)
})

test('a dry run reports the same and changes nothing', async (context) => {
  const { server, main, mirror } = context
  const files = [await stored(server), await stored(server), await stored(server)]
  const [lost, safe] = files
  assert.ok(lost && safe)
  await copied(server, safe, 'mirror')
  for (const { key } of [lost, safe]) main.objects.delete(key)
  ageMemory(mirror)
  stray(main, 'stray')
  const dry = await reconcile(server, { dryRun: true })
  assert.ok(main.objects.has('stray'))
  for (const { id } of files) assert.is((await server.row(id)).state, 'ready')
  assert.is((await server.row(safe.id)).storeName, 'main')
  const wet = await reconcile(server)
  assert.equal({ ...dry, dryRun: false }, wet)
  const { failed, restored } = wet.stores[0]?.missing ?? {}
  assert.equal([failed, restored, wet.stores[0]?.orphans.removed], [1, 1, 1])
})

test('collecting looks for no losses', async ({ server, main }) => {
  await stored(server)
  const { id, key } = await stored(server)
  main.objects.delete(key)
  stray(main, 'stray')
  const [report] = (await server.carcosa.api.stores.collect()).stores
  assert.equal([report?.orphans.removed, report?.missing], [1, null])
  assert.is((await server.row(id)).state, 'ready')
})

test('a store that fails is in the report, and the others are looked at', async (context) => {
  const { server, main, mirror } = context
  const file = await stored(server)
  await copied(server, file, 'mirror')
  ageMemory(mirror)
  stray(mirror, 'stray')
  const { list } = main
  const failing = () => {
    throw new Error('no such bucket')
  }
  Object.assign(main, { list: failing })
  main.objects.clear()
  const report = await reconcile(server)
  Object.assign(main, { list })
  const [first, second] = report.stores
  assert.match(first?.errors.examples[0] ?? '', 'listing objects: Error: no such bucket')
  assert.ok(first?.orphans.skipped && first.missing?.skipped)
  assert.is((await server.row(file.id)).state, 'ready')
  assert.is(second?.orphans.removed, 1)
})

for (const [grace, hours] of [
  [undefined, 48],
  ['1h', 25],
  ['3 days', 72],
] as const) {
  test(`a grace period of ${grace ?? 'no given length'} is one of ${hours} hours`, async (context) => {
    const { server } = context
    const { grace: used } = await reconcile(server, { ...(grace && { grace }) })
    assert.is(used, hours * 3_600_000)
  })
}

test('an unknown store is an error', async ({ server }) => {
  const error = await reconcile(server, { store: 'nowhere' }).catch((thrown) => thrown)
  assert.is(error.code, 'STORE_UNKNOWN')
})

test.run()
