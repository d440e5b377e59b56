import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { createTurns, type Turn, type TurnLimits } from '../../../src/uploads/turns.ts'

const test = suite('uploads/turns')

test('of two who want one upload, the second waits for the first', async () => {
  const turns = turnsWith()
  const first = await turns.take('a', { wish: 'idle' })
  const order: string[] = []
  const second = turns.take('a', { wish: 'idle' }).then((turn) => {
    order.push('second')
    return turn
  })
  await wait(20)
  order.push('first ends')
  first.release()
  ;(await second).release()
  assert.equal(order, ['first ends', 'second'])
})

test('different uploads do not wait for each other', async () => {
  const turns = turnsWith()
  const all = await Promise.all(
    ['a', 'b', 'c'].map((id) => turns.take(id, { wish: 'idle' })),
  )
  for (const turn of all) turn.release()
})

test('those who wait are served in the order they came, one at a time', async () => {
  const turns = turnsWith()
  const first = await turns.take('a', { wish: 'idle' })
  const served: number[] = []
  let holding = 0
  const waiters = [1, 2, 3, 4].map(async (n) => {
    const turn = await turns.take('a', { wish: 'idle' })
    assert.is(++holding, 1)
    served.push(n)
    await wait(1)
    holding--
    turn.release()
  })
  first.release()
  await Promise.all(waiters)
  assert.equal(served, [1, 2, 3, 4])
})

test('releasing twice does not release the one who came after', async () => {
  const turns = turnsWith({ waitMs: 50 })
  const first = await turns.take('a', { wish: 'idle' })
  first.release()
  const second = await turns.take('a', { wish: 'idle' })
  first.release()
  assert.is(await refusal(turns.take('a', { wish: 'idle' })), 'UPLOAD_LOCKED')
  second.release()
})

test('who wants the upload now asks its holder to end at once', async () => {
  const turns = turnsWith()
  const held = await turns.take('a', { wish: 'idle' })
  const next = turns.take('a', { wish: 'now' })
  await wait(5)
  assert.ok(held.releaseRequested.aborted)
  held.release()
  ;(await next).release()
})

test('a holder who receives bytes is not asked to end by another writer', async () => {
  const turns = turnsWith({ idleMs: 40 })
  const held = await turns.take('a', { wish: 'idle' })
  const next = turns.take('a', { wish: 'idle' })
  for (let i = 0; i < 12; i++) {
    held.touch()
    await wait(10)
    assert.not.ok(held.releaseRequested.aborted, `after ${i} touches`)
  }
  held.release()
  ;(await next).release()
})

test('a holder who has fallen silent is asked to end by another writer', async () => {
  const turns = turnsWith({ idleMs: 30 })
  const held = await turns.take('a', { wish: 'idle' })
  const next = turns.take('a', { wish: 'idle' })
  await requested(held, 1_000)
  held.release()
  ;(await next).release()
})

test('who is next in line is asked too, by one who wants it now', async () => {
  const turns = turnsWith({ idleMs: 20 })
  const first = await turns.take('a', { wish: 'idle' })
  const second = turns.take('a', { wish: 'idle' })
  const urgent = turns.take('a', { wish: 'now' })
  first.release()
  const writer = await second
  writer.touch()
  await requested(writer, 1_000)
  writer.release()
  ;(await urgent).release()
})

test('waiting ends with UPLOAD_LOCKED and Retry-After', async () => {
  const turns = turnsWith({ waitMs: 30 })
  const held = await turns.take('a', { wish: 'idle' })
  const error = await turns.take('a', { wish: 'now' }).catch((caught) => caught)
  assert.instance(error, CarcosaError)
  assert.is(error.code, 'UPLOAD_LOCKED')
  assert.is(error.headers['Retry-After'], '1')
  held.release()
  ;(await turns.take('a', { wish: 'idle' })).release()
})

test('who gave up waiting is passed over', async () => {
  const turns = turnsWith()
  const held = await turns.take('a', { wish: 'idle' })
  const abort = new AbortController()
  const { signal } = abort
  const gone = refusal(turns.take('a', { wish: 'idle', signal }))
  const patient = turns.take('a', { wish: 'idle' })
  await wait(5)
  abort.abort()
  assert.is(await gone, 'UPLOAD_LOCKED')
  held.release()
  ;(await patient).release()
})

test('too many who wait for one upload are refused at once', async () => {
  const turns = turnsWith({ maxWaiters: 2, waitMs: 5_000 })
  const held = await turns.take('a', { wish: 'idle' })
  const waiting = [1, 2].map(() => turns.take('a', { wish: 'idle' }))
  await wait(5)
  const before = Date.now()
  assert.is(await refusal(turns.take('a', { wish: 'idle' })), 'UPLOAD_LOCKED')
  assert.ok(Date.now() - before < 1_000)
  held.release()
  for (const next of waiting) (await next).release()
})

test('who must not disturb the holder gives up before it is asked', async () => {
  const turns = turnsWith()
  const held = await turns.take('a', { wish: 'idle' })
  const refused = turns.take('a', {
    wish: 'now',
    beforeWaiting: () => Promise.reject(new CarcosaError('UPLOAD_NOT_FOUND')),
  })
  assert.is(await refusal(refused), 'UPLOAD_NOT_FOUND')
  assert.not.ok(held.releaseRequested.aborted)
  held.release()
})

test('waiting does not use the CPU', async () => {
  const turns = turnsWith({ idleMs: 100 })
  const held = await turns.take('a', { wish: 'idle' })
  const waiting = Array.from({ length: 50 }, () => turns.take('a', { wish: 'idle' }))
  const before = process.cpuUsage()
  await wait(500)
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 150_000, `${user + system} µs of CPU in half a second`)
  held.release()
  for (const next of waiting) (await next).release()
})

test('at its end every holder is asked to end, also those who come later', async () => {
  const turns = turnsWith()
  const a = await turns.take('a', { wish: 'idle' })
  const next = turns.take('a', { wish: 'idle' })
  turns.end()
  assert.ok(a.releaseRequested.aborted)
  a.release()
  assert.ok((await next).releaseRequested.aborted)
  assert.ok((await turns.take('b', { wish: 'idle' })).releaseRequested.aborted)
})

test.run()

function turnsWith(limits: Partial<TurnLimits> = {}) {
  return createTurns({ waitMs: 10_000, idleMs: 1_000, maxWaiters: 64, ...limits })
}

async function refusal(turn: Promise<Turn>): Promise<string> {
  return turn.then(
    () => 'granted',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}

async function requested({ releaseRequested }: Turn, ms: number): Promise<void> {
  for (const until = Date.now() + ms; !releaseRequested.aborted; await wait(5)) {
    assert.ok(Date.now() < until, `nobody asked within ${ms} ms`)
  }
}
