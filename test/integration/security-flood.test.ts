/** Uploads that are begun by the thousand and left: row SEC-13. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jobHandlers } from '../../src/worker.ts'
import { maxSize, startServer } from '../support/server.ts'

const test = suite('SEC-13: a flood of creations')

test('SEC-13: of 10,000 creations of the largest size as many are let in as the limit says, and the sweep frees them', async () => {
  const limited = await startServer({
    rateLimits: { create: { points: 100, per: '1h' }, store: 'memory' },
  })
  try {
    const statuses = new Map<number, number>()
    const ask = async () => {
      const { status, headers } = await limited.doors.http({
        method: 'POST',
        path: '/uploads/demo',
        headers: { 'Upload-Length': String(maxSize) },
      })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 429) assert.ok(Number(headers['retry-after']) > 0)
    }
    for (let i = 0; i < 100; i++) await Promise.all(Array.from({ length: 100 }, ask))
    assert.equal(Object.fromEntries(statuses), { 201: 100, 429: 9_900 })
    const { db } = limited.uploads
    const count = async (where: string) => {
      const { rows } = await db.executeSql(
        `SELECT count(*)::int AS n FROM carcosa.file WHERE ${where}`,
      )
      return rows[0]?.n
    }
    assert.is(await count('true'), 100)
    await db.executeSql("UPDATE carcosa.file SET expires_at = now() - interval '1 min'")
    const context = { id: 'job', attempt: 1, signal: new AbortController().signal }
    await jobHandlers(limited.uploads)['uploads.sweep']({}, context)
    assert.is(await count("state = 'expired' AND purged_at IS NOT NULL"), 100)
  } finally {
    await limited.close()
  }
})

test.run()
