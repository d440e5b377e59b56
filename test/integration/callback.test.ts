/** P4: what becomes of a file whose completion callback throws. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRouter, route } from '../../src/index.ts'
import { redriveCompletion } from '../../src/uploads/completion.ts'
import { created } from '../support/records.ts'
import { requires } from '../support/requirements.ts'
import { startServer, type TestServer } from '../support/server.ts'

const keys: Record<string, string[]> = { fails: [], recovers: [] }
const failures: string[] = []

const router = createRouter({
  fails: route(['blob'])
    .public()
    .onUploadComplete(({ idempotencyKey }) => {
      keys.fails?.push(idempotencyKey)
      throw new Error('the shop is closed')
    })
    .onUploadError(({ error }) => void failures.push(error.code)),
  recovers: route(['blob'])
    .public()
    .onUploadComplete(({ idempotencyKey }) => {
      keys.recovers?.push(idempotencyKey)
      if (keys.recovers?.length === 1) throw new Error('not now')
      return { done: true }
    }),
})

const test = requires('postgres', suite('a completion callback that throws'))
let server: TestServer
test.before(async () => {
  server = await startServer({ router })
})
test.after(() => server.close())

test('runs again with the same key, and what it then returns is kept', async () => {
  const { id, state, serverData } = await uploadUntilSettled('recovers')
  assert.is(state, 'ready')
  assert.equal(serverData, { done: true })
  assert.equal(keys.recovers, [id, id])
})

test('makes the file failed after five runs, and keeps its bytes', async () => {
  const { id, state, failure, key } = await uploadUntilSettled('fails')
  assert.is(state, 'failed')
  assert.is(failure?.code, 'CALLBACK_FAILED')
  assert.not.match(failure?.message ?? '', /shop/, 'its message is for the log')
  assert.equal(keys.fails, Array(5).fill(id))
  assert.equal(failures, ['CALLBACK_FAILED'])
  assert.equal(await server.uploads.stores.get('default')?.stat(key), { size: 10 })
})

test.run()

/** Uploads, then does what the job would do after its delays. */
async function uploadUntilSettled(routeName: string) {
  const url = await created(server.doors.http, { route: routeName, bytes: 'helloworld' })
  for (let look = 0; look < 200; look++) {
    const row = await server.row(url)
    if (row.state !== 'stored') return row
    // It throws as long as the file is not settled, so that the queue tries again.
    await redriveCompletion(server.uploads, row.id).catch(() => {})
    await sleep(20)
  }
  throw new Error('the file did not settle')
}
