/** `deleteGrace`: what is deleted can be restored for a while, and then no more. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRouter, type ProgramUpload, route } from '../../src/index.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { previewSweep, sweep } from '../../src/uploads/sweep.ts'
import { memory } from '../../stores/memory.ts'
import { begin, eventsOf, upload } from '../support/lifecycle.ts'
import { usedOf } from '../support/quotas.ts'
import { startServer, type TestServer } from '../support/server.ts'

const router = createRouter({
  any: route({ blob: { maxFileSize: '1KB', acl: 'public-read' } }).public(),
  slow: route(['blob'])
    .public()
    .onUploadComplete(() => sleep(60_000, null, { ref: false })),
})

function on(kind: 'postgres' | 'pglite') {
  const test = suite(`restoring files on ${kind}`)
  const store = memory()
  let server: TestServer
  test.before(async () => {
    server = await startServer({
      router,
      store,
      deleteGrace: '1 hour',
      shutdownTimeout: 100,
      ...(kind === 'pglite' && { database: 'memory://' }),
    })
  })
  test.after(() => server.close())

  const files = () => server.carcosa.api.files
  const put = (options: Partial<ProgramUpload> = {}) =>
    files().upload('content', { route: 'any', ...options })
  const read = (id: string) => server.doors.http({ method: 'GET', path: `/files/${id}` })
  const hasBytes = async (id: string) =>
    (await store.stat((await server.row(id)).key)) !== null
  const deleted = async (options: Partial<ProgramUpload> = {}) => {
    const file = await put(options)
    await files().delete(file.id)
    return file
  }
  /** As if the grace were over. */
  const endGrace = (id: string) =>
    server.uploads.db.executeSql(
      `UPDATE carcosa.file SET purge_after = now() - interval '1 second' WHERE id = $1`,
      [id],
    )

  test('a deleted file is gone for everybody, keeps its bytes, and comes back', async () => {
    const { id } = await put({ tags: ['t'], customId: 'back', filename: 'name' })
    const url = await files().sign(id)
    const before = Date.now()
    assert.ok(await files().delete(id))
    const removed = await files().get(id)
    assert.is(removed?.state, 'removed')
    const left = (removed?.purgeAfter?.getTime() ?? 0) - before
    assert.ok(left >= 3_600_000 && left < 3_700_000, `${left}`)
    assert.ok(await hasBytes(id))
    assert.is((await read(id)).status, 404)
    assert.is((await server.doors.http({ method: 'GET', path: url })).status, 404)
    for (const options of [{}, { tag: 't' }, { prefix: 'name' }, { customId: 'back' }]) {
      const listed = (await files().list(options)).files.map((file) => file.id)
      assert.not.ok(listed.includes(id), JSON.stringify(options))
    }
    assert.is(await files().get({ customId: 'back' }), null)
    const kept = await sweep(server.uploads)
    assert.is(kept.purged, 0)

    const restored = await files().restore(id)
    assert.is(restored.state, 'ready')
    assert.is(restored.purgeAfter, null)
    assert.is((await read(id)).text, 'content')
    assert.is((await files().get({ customId: 'back' }))?.id, id)
    assert.is((await files().list({ tag: 't' })).files.length, 1)
    assert.equal((await eventsOf(server, { id, url: '' })).slice(3), [
      'file.removed',
      'file.undeleted',
    ])
  })

  test('it can be deleted twice, and restored twice, and only the first counts', async () => {
    const { id } = await deleted()
    const { purgeAfter } = await server.row(id)
    assert.is(await files().delete(id), false)
    assert.equal((await server.row(id)).purgeAfter, purgeAfter)
    await Promise.all(Array.from({ length: 5 }, () => files().restore(id)))
    assert.is((await files().restore(id)).state, 'ready')
    const events = await eventsOf(server, { id, url: '' })
    assert.is(events.filter((type) => type === 'file.undeleted').length, 1)
    assert.ok(await files().delete(id))
    assert.is((await files().restore(id)).state, 'ready')
  })

  test('of ten that are restored at once as many come back as there is room for', async () => {
    const { usage } = server.carcosa.api
    const all = await Promise.all(Array.from({ length: 10 }, () => deleted()))
    const mine = await put({ ownerId: 'ann' })
    const others = (await server.carcosa.api.usage.get()).files - 1
    const quota = await usage.setQuota('default', { files: others + 4 })
    assert.is(quota.usedFiles, others + 1)
    const outcomes = await Promise.all(
      [...all, ...all].map(({ id }) => refusal(files().restore(id))),
    )
    const back = all.filter((_, i) => outcomes[i] === 'nothing')
    assert.is(back.length, 3, outcomes.join())
    assert.equal(
      [...new Set(outcomes.filter((code) => code !== 'nothing'))],
      ['QUOTA_EXCEEDED'],
    )
    assert.equal(await usedOf(server), {
      bytes: 'content'.length * (others + 4),
      files: others + 4,
    })
    // An owner's part as well, which has to be counted anew where nothing was left of it.
    await files().delete(mine.id)
    await usage.setQuota('default', { perOwner: { files: 0 } })
    assert.is(await refusal(files().restore(mine.id)), 'QUOTA_EXCEEDED')
    await usage.setQuota('default', { perOwner: { files: 1 } })
    assert.is(await refusal(files().restore(mine.id)), 'nothing')
    await usedOf(server)
    await usage.setQuota('default', null)
  })

  test('after the grace the sweep deletes its bytes, and nothing brings it back', async () => {
    const { id } = await deleted({ tags: ['swept'] })
    await endGrace(id)
    assert.is(await refusal(files().restore(id)), 'RESTORE_TOO_LATE')
    assert.is((await previewSweep(server.uploads)).purged, 1)
    assert.is((await sweep(server.uploads)).purged, 1)
    assert.not.ok(await hasBytes(id))
    assert.ok((await server.row(id)).purgedAt)
    assert.is(await refusal(files().restore(id)), 'RESTORE_TOO_LATE')
  })

  test('of a restore and sweeps at the same moment exactly one wins', async () => {
    const made = await Promise.all(Array.from({ length: 12 }, () => deleted()))
    const ids = made.map(({ id }) => id)
    await server.uploads.db.executeSql(
      `UPDATE carcosa.file SET purge_after = now() + interval '150 milliseconds'
       WHERE id = ANY($1::text[])`,
      [ids],
    )
    const sweeping = (async () => {
      for (const end = Date.now() + 600; Date.now() < end; ) await sweep(server.uploads)
    })()
    const won = await Promise.all(
      ids.map(async (id, i) => {
        await sleep(60 + i * 15)
        return (await refusal(files().restore(id))) === 'nothing'
      }),
    )
    await sweeping
    for (const [i, id] of ids.entries()) {
      const { state } = await server.row(id)
      assert.is(state, won[i] ? 'ready' : 'removed')
      assert.is(await hasBytes(id), won[i], `${i} of ${won}`)
    }
  })

  test('a process that dies between the claim and the bytes leaves them to the next sweep', async () => {
    const { id } = await deleted()
    await endGrace(id)
    await server.uploads.db.executeSql(
      'UPDATE carcosa.file SET purge_after = NULL WHERE id = $1',
      [id],
    )
    assert.is(await refusal(files().restore(id)), 'RESTORE_TOO_LATE')
    assert.is((await sweep(server.uploads)).purged, 1)
    assert.not.ok(await hasBytes(id))
  })

  test('one whose custom id was taken meanwhile comes back under another, or without', async () => {
    const { id } = await deleted({ customId: 'contested' })
    const other = await put({ customId: 'contested' })
    assert.is(await refusal(files().restore(id)), 'CUSTOM_ID_TAKEN')
    assert.is((await server.row(id)).state, 'removed')
    assert.is((await files().restore(id, { customId: 'free' })).customId, 'free')
    assert.is((await files().get({ customId: 'contested' }))?.id, other.id)
    const third = await deleted({ customId: 'third' })
    await put({ customId: 'third' })
    assert.is((await files().restore(third.id, { customId: null })).customId, null)
    const bad = files().restore(third.id, { customId: '' })
    assert.is(await refusal(bad), 'BAD_REQUEST')
  })

  test('DELETE by a client keeps the bytes of a finished file too', async () => {
    const made = await upload(server, 'any', 'content')
    await server.uploads.db.executeSql(
      `UPDATE carcosa.file SET owner_id = 'ann' WHERE id = $1`,
      [made.id],
    )
    const headers = { Authorization: 'Bearer ann', 'Tus-Resumable': '1.0.0' }
    const gone = await server.doors.http({ method: 'DELETE', path: made.url, headers })
    assert.is(gone.status, 204)
    assert.ok(await hasBytes(made.id))
    const head = await server.doors.http({ method: 'HEAD', path: made.url, headers })
    assert.is(head.status, 410)
    assert.is((await files().restore(made.id)).state, 'ready')
  })

  test('what was never ready goes at once', async () => {
    const begun = await begin(server, 'any', { length: 10 })
    assert.ok(await files().delete(begun.id))
    const stored = await upload(server, 'slow', 'x')
    assert.is((await server.row(stored.id)).state, 'stored')
    assert.ok(await files().delete(stored.id))
    for (const { id } of [begun, stored]) {
      const row = await server.row(id)
      assert.equal([row.state, row.purgeAfter], ['removed', null])
      assert.ok(row.purgedAt)
      assert.is(await refusal(files().restore(id)), 'RESTORE_TOO_LATE')
    }
  })

  test('what never was is not restored', async () => {
    for (const id of ['AAAAAAAAAAAAAAAAAAAAAAAA', '', '\0', 'x'.repeat(999)]) {
      assert.is(await refusal(files().restore(id)), 'FILE_NOT_FOUND')
    }
  })

  test('a quota counts what comes back again, and has no room for more than it takes', async () => {
    const { usage } = server.carcosa.api
    await usage.setQuota('default', { bytes: 1_000_000 })
    const used = async () => (await usage.quota())?.usedFiles ?? 0
    const { id } = await put({ ownerId: 'counted' })
    const before = await used()
    await files().delete(id)
    assert.is(await used(), before - 1)
    await files().restore(id)
    assert.is(await used(), before)
    await files().delete(id)
    await usage.setQuota('default', { files: 1 })
    assert.is(await refusal(files().restore(id)), 'QUOTA_EXCEEDED')
    await usage.setQuota('default', null)
  })

  test('reconciling leaves what may come back alone', async () => {
    const { id } = await deleted()
    const { key } = await server.row(id)
    await server.carcosa.api.stores.reconcile()
    assert.ok((await store.stat(key)) !== null)
    assert.is((await files().restore(id)).state, 'ready')
  })

  test.run()
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}

on('postgres')
on('pglite')
