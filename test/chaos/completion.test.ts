/** P3, P4: the process dies at every step between the last byte and the answer to it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openDatabase } from '../../src/db/open.ts'
import type { FaultPoint } from '../../src/uploads/faults.ts'
import { content } from '../support/chaos/content.ts'
import { type ChaosServer, runServer } from '../support/chaos/run-server.ts'
import * as tus from '../support/chaos/tus.ts'
import { postgres } from '../support/postgres.ts'
import { requires } from '../support/requirements.ts'

/** Where the process dies, and how often the callback must have run when all is repaired. */
const deaths: readonly [point: FaultPoint, callbacks: number][] = [
  ['receive:after-write', 1],
  ['finish:before-commit', 1],
  ['finish:after-commit', 1],
  ['completion:before-callback', 1],
  // It ran and nobody could know: it runs again, with the same idempotency key.
  ['completion:after-callback', 2],
  ['completion:after-commit', 1],
]

const file = content(3_000_000)
const chaos = requires('postgres', suite('a process that dies while an upload completes'))

for (const [point, callbacks] of deaths) {
  chaos(
    `at ${point}: one file.stored, the callback runs, the bytes are right`,
    async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'carcosa-fault-'))
      const { url: database, drop } = await postgres()
      const callbackLog = join(dataDir, 'callbacks')
      const settings = { dataDir, database, callbackLog }

      const first = await runServer({ ...settings, dieAt: point })
      const location = await createAndSend(first)
      await first.gone
      const second = await runServer({ ...settings, port: first.port })
      const url = second.url + location
      await resumeIfNeeded(url)

      const status = await (await fetch(`${url}?wait=45`)).json()
      assert.is(status.state, 'ready')
      assert.equal(status.serverData, { size: file.size })
      await sleep(200)
      await second.stop()

      const id = location.split('/').at(-1) ?? ''
      const keys = (await readFile(callbackLog, 'utf8')).trim().split('\n')
      assert.equal(keys, Array(callbacks).fill(id))
      assert.equal(await eventsOf(database, id), [
        'file.created',
        'file.stored',
        'file.ready',
      ])
      await drop()
      await rm(dataDir, { recursive: true })
    },
  )
}

chaos(
  'before its creation is answered: the row it leaves expires, nothing is stored',
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'carcosa-fault-'))
    const { url: database, drop } = await postgres()
    const server = await runServer({ dataDir, database, dieAt: 'create:after-row' })
    await assertBreaksOff(tus.create(server.url, 'plain', file.size))
    await server.gone
    const db = await openDatabase(database)
    const rows = await db.prisma.file.findMany()
    await db.close()
    assert.is(rows.length, 1)
    assert.is(rows[0]?.state, 'created')
    assert.ok(rows[0]?.expiresAt, 'an upload that nobody knows of must have an end')
    await drop()
    await rm(dataDir, { recursive: true })
  },
)

chaos.run()

/** Sends everything; the answer to the last byte may never come. Returns the location. */
async function createAndSend(server: ChaosServer): Promise<string> {
  const { headers } = await tus.create(server.url, 'called', file.size)
  const location = String(headers.location)
  const patch = { offset: 0, body: file.from(0), length: file.size }
  await tus.patch(server.url + location, patch).catch(() => null)
  return location
}

/** What a tus client does after a broken connection: asks, and sends only if bytes are missing. */
async function resumeIfNeeded(url: string): Promise<void> {
  const offset = await tus.offsetOf(url)
  if (offset === file.size) return
  const length = file.size - offset
  const { status } = await tus.patch(url, { offset, body: file.from(offset), length })
  assert.is(status, 204)
}

async function eventsOf(database: string, fileId: string): Promise<string[]> {
  const db = await openDatabase(database)
  const events = await db.prisma.event.findMany({
    where: { fileId },
    orderBy: { seq: 'asc' },
  })
  await db.close()
  return events.map(({ type }) => type)
}

async function assertBreaksOff(promise: Promise<unknown>): Promise<void> {
  const outcome = await promise.then(
    () => 'answered',
    () => 'broke off',
  )
  assert.is(outcome, 'broke off')
}
