import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openStream } from '../../support/event-stream.ts'
import { begin } from '../../support/lifecycle.ts'
import { patch } from '../../support/records.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('ten thousand subscribers (SEC-33)')

const total = 10_000
/** Each has a limit of open files of its own. */
const processes = 4

let server: TestServer
let crowds: ChildProcess[] = []

test.before(async () => {
  server = await startServer({
    maxSubscribers: total,
    maxSubscribersPerClient: total,
  })
})
test.after(async () => {
  for (const crowd of crowds) crowd.kill('SIGKILL')
  await server.close()
})

test('are told, one more is refused, uploads go on, and all places are free afterwards', async () => {
  const { id, url } = await begin(server, 'demo', { length: 5 })
  const path = `/events?file=${id}`
  crowds = Array.from({ length: processes }, () => crowd(path))
  const lines = crowds.map((one) => {
    if (!one.stdout) throw new TypeError('it has one')
    return createInterface(one.stdout)[Symbol.asyncIterator]()
  })
  for (const line of lines) assert.is((await line.next()).value, 'open')

  const refused = await openStream(server.port, path)
  assert.equal([refused.status, refused.problem?.code], [503, 'SUBSCRIBERS_FULL'])

  const sent = await patch(server.doors.http, url, { offset: 0, body: 'hello' })
  assert.is(sent.status, 204)
  for (const line of lines) assert.is((await line.next()).value, 'told')

  for (const one of crowds) one.kill('SIGKILL')
  const next = await begin(server, 'demo', { length: 5 })
  for (let tries = 0; ; tries++) {
    const stream = await openStream(server.port, `/events?file=${next.id}`)
    stream.close()
    if (stream.status === 200) break
    assert.ok(tries < 200, 'a place is free')
    await sleep(50)
  }
})

function crowd(path: string): ChildProcess {
  const script = join(import.meta.dirname, '../../support/crowd.ts')
  const args = [script, String(server.port), path, String(total / processes)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  void once(child, 'exit')
  return child
}

test.run()
