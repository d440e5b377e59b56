/** A project that is deleted on one node is shut on all of them, for what is under way as well. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiKeys } from '../../src/auth/api-keys.ts'
import { memory } from '../../stores/memory.ts'
import { begin } from '../support/lifecycle.ts'
import { postgres } from '../support/postgres.ts'
import { patch } from '../support/records.ts'
import { bearer, startServer, type TestServer } from '../support/server.ts'

/** Who names a project is in it, and stays so: no credential ends with the project. */
const tenants = {
  name: 'tenants',
  authenticate: ({ headers }: { headers: Headers }) => {
    const projectId = headers.get('x-project')
    const who = { id: 'ann', kind: 'user', role: 'admin' } as const
    return projectId ? { ...who, projectId } : null
  },
}

const test = suite('projects on two nodes')
let one: TestServer
let two: TestServer
let drop: () => Promise<void>
test.before(async () => {
  const { url, drop: dropIt } = await postgres()
  drop = dropIt
  const store = memory()
  const options = { database: url, auth: [apiKeys(), tenants, bearer], store }
  one = await startServer(options)
  two = await startServer(options)
})
test.after(async () => {
  await one.close()
  await two.close()
  await drop()
})

test('an unfinished upload is refused at its next request, and its ticket too', async () => {
  const { id } = await one.carcosa.api.projects.create({ name: 'shut' })
  const headers = { 'X-Project': id }
  const made = await begin(two, 'mine', { length: 10, headers })
  const { http } = two.doors
  const first = await patch(http, made.url, { offset: 0, body: 'hello', headers })
  assert.is(first.status, 204, first.text)
  await one.carcosa.api.projects.delete(id)
  const asked = async () => {
    const answer = await patch(http, made.url, { offset: 5, body: '', headers })
    return answer.status
  }
  await within(6_000, async () => (await asked()) === 410)
  for (const server of [one, two]) {
    const head = { method: 'HEAD', path: made.url, headers }
    assert.is((await server.doors.http(head)).status, 410)
    const body = { offset: 5, body: 'world', headers }
    const sent = await patch(server.doors.http, made.url, body)
    assert.is(sent.json().code, 'PROJECT_DELETED')
  }
  assert.is((await one.row(made.url)).offset, 5)
})

async function within(ms: number, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) {
    if (await isSo()) return
  }
  assert.unreachable(`not within ${ms} ms`)
}

test.run()
