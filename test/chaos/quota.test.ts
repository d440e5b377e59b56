/** P3: what a quota says is used is what files have reserved, wherever the process dies. */
import { mkdtemp, rm } from 'node:fs/promises'
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
import { usedOf } from '../support/quotas.ts'
import { requires } from '../support/requirements.ts'

/** Where the process dies, and what is left when its client has cancelled what it may. */
const deaths: readonly [point: FaultPoint, left: number][] = [
  // Nobody knows its URL: it expires.
  ['create:after-row', 1],
  ['receive:after-write', 0],
  ['finish:before-commit', 0],
  // A file by now, which nobody in particular may not delete.
  ['finish:after-commit', 1],
]

const file = content(3_000)
const quota = { bytes: '1GB' }
const chaos = requires('postgres', suite('a process with a quota that dies'))

interface Place {
  dataDir: string
  database: string
  /** After checking that it is true. */
  used(): Promise<{ bytes: number; files: number }>
}

/** Lets `act` do it on a database of its own. */
async function at(act: (place: Place) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'carcosa-quota-'))
  const { url: database, drop } = await postgres()
  const db = await openDatabase(database)
  try {
    await act({ dataDir, database, used: () => usedOf({ uploads: { db } }) })
  } finally {
    await db.close()
    await drop()
    await rm(dataDir, { recursive: true })
  }
}

for (const [dieAt, left] of deaths) {
  chaos(`at ${dieAt}: its room is reserved once, and given back once`, () =>
    at(async ({ dataDir, database, used }) => {
      const first = await runServer({ dataDir, database, quota, dieAt })
      const location = await createAndSend(first)
      await first.gone
      assert.equal(await used(), { bytes: file.size, files: 1 })
      const second = await runServer({ dataDir, database, quota })
      try {
        const url = second.url + (location ?? '/uploads/plain/unknown')
        await tus.send(url, 'DELETE')
        await tus.send(url, 'DELETE')
        assert.equal(await used(), { bytes: left * file.size, files: left })
      } finally {
        await second.stop()
      }
    }),
  )
}

chaos('in the midst of many uploads that come and go: nothing is counted wrong', () =>
  at(async ({ dataDir, database, used }) => {
    let created = 0
    for (let round = 0; round < 4; round++) {
      const server = await runServer({ dataDir, database, quota })
      let isOver = false
      const busy = Array.from({ length: 16 }, async () => {
        while (!isOver) {
          const { headers } = await tus.create(server.url, 'plain', 1_000)
          created++
          if (Math.random() < 0.7) await tus.send(server.url + headers.location, 'DELETE')
        }
      })
      const ended = Promise.allSettled(busy)
      await sleep(150 + round * 70)
      isOver = true
      await server.kill()
      await ended
      await used()
    }
    assert.ok(created > 20, `${created} uploads`)
  }),
)

chaos.run()

/** Null if the process died before it said where the upload is. */
async function createAndSend(server: ChaosServer): Promise<string | null> {
  const made = await tus.create(server.url, 'plain', file.size).catch(() => null)
  if (!made) return null
  const location = String(made.headers.location)
  const patch = { offset: 0, body: file.from(0), length: file.size }
  await tus.patch(server.url + location, patch).catch(() => null)
  return location
}
