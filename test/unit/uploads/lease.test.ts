import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { createLeases, type Lease } from '../../../src/uploads/lease.ts'

const test = suite('uploads/lease')

test('of two who want one upload, the second waits for the first', async () => {
  const leases = createLeases()
  const first = await leases.acquire('a', { preempt: 'idle' })
  const order: string[] = []
  const second = leases.acquire('a', { preempt: 'idle' }).then((lease) => {
    order.push('second')
    return lease
  })
  await wait(20)
  order.push('first ends')
  first.release()
  ;(await second).release()
  assert.equal(order, ['first ends', 'second'])
})

test('different uploads do not wait for each other', async () => {
  const leases = createLeases()
  const all = await Promise.all(
    ['a', 'b', 'c'].map((id) => leases.acquire(id, { preempt: 'idle' })),
  )
  for (const lease of all) lease.release()
})

test('those who wait are served in the order they came, one at a time', async () => {
  const leases = createLeases()
  const first = await leases.acquire('a', { preempt: 'idle' })
  const served: number[] = []
  let holding = 0
  const waiters = [1, 2, 3, 4].map(async (n) => {
    const lease = await leases.acquire('a', { preempt: 'idle' })
    assert.is(++holding, 1)
    served.push(n)
    await wait(1)
    holding--
    lease.release()
  })
  first.release()
  await Promise.all(waiters)
  assert.equal(served, [1, 2, 3, 4])
})

test('the fence grows with every holder', async () => {
  const leases = createLeases()
  const fences: number[] = []
  for (let i = 0; i < 3; i++) {
    const lease = await leases.acquire('a', { preempt: 'idle' })
    fences.push(lease.fence)
    lease.release()
  }
  const [first = 0, second = 0, third = 0] = fences
  assert.ok(first < second && second < third, fences.join())
})

test('releasing twice does not release the one who came after', async () => {
  const leases = createLeases({ waitMs: 50 })
  const first = await leases.acquire('a', { preempt: 'idle' })
  first.release()
  const second = await leases.acquire('a', { preempt: 'idle' })
  first.release()
  assert.is(await refusal(leases.acquire('a', { preempt: 'idle' })), 'UPLOAD_LOCKED')
  second.release()
})

test('who wants the upload now asks its holder to end at once', async () => {
  const leases = createLeases()
  const held = await leases.acquire('a', { preempt: 'idle' })
  const next = leases.acquire('a', { preempt: 'now' })
  await wait(5)
  assert.ok(held.releaseRequested.aborted)
  held.release()
  ;(await next).release()
})

test('a holder who receives bytes is not asked to end by another writer', async () => {
  const leases = createLeases({ idleMs: 40 })
  const held = await leases.acquire('a', { preempt: 'idle' })
  const next = leases.acquire('a', { preempt: 'idle' })
  for (let i = 0; i < 12; i++) {
    held.touch()
    await wait(10)
    assert.not.ok(held.releaseRequested.aborted, `after ${i} touches`)
  }
  held.release()
  ;(await next).release()
})

test('a holder who has fallen silent is asked to end by another writer', async () => {
  const leases = createLeases({ idleMs: 30 })
  const held = await leases.acquire('a', { preempt: 'idle' })
  const next = leases.acquire('a', { preempt: 'idle' })
  await requested(held, 1_000)
  held.release()
  ;(await next).release()
})

test('who is next in line is asked too, by one who wants it now', async () => {
  const leases = createLeases({ idleMs: 20 })
  const first = await leases.acquire('a', { preempt: 'idle' })
  const second = leases.acquire('a', { preempt: 'idle' })
  const urgent = leases.acquire('a', { preempt: 'now' })
  first.release()
  const writer = await second
  writer.touch()
  await requested(writer, 1_000)
  writer.release()
  ;(await urgent).release()
})

test('waiting ends with UPLOAD_LOCKED and Retry-After', async () => {
  const leases = createLeases({ waitMs: 30 })
  const held = await leases.acquire('a', { preempt: 'idle' })
  const error = await leases.acquire('a', { preempt: 'now' }).catch((caught) => caught)
  assert.instance(error, CarcosaError)
  assert.is(error.code, 'UPLOAD_LOCKED')
  assert.is(error.headers['Retry-After'], '1')
  held.release()
  ;(await leases.acquire('a', { preempt: 'idle' })).release()
})

test('who gave up waiting is passed over', async () => {
  const leases = createLeases()
  const held = await leases.acquire('a', { preempt: 'idle' })
  const abort = new AbortController()
  const { signal } = abort
  const gone = refusal(leases.acquire('a', { preempt: 'idle', signal }))
  const patient = leases.acquire('a', { preempt: 'idle' })
  await wait(5)
  abort.abort()
  assert.is(await gone, 'UPLOAD_LOCKED')
  held.release()
  ;(await patient).release()
})

test('too many who wait for one upload are refused at once', async () => {
  const leases = createLeases({ maxWaiters: 2, waitMs: 5_000 })
  const held = await leases.acquire('a', { preempt: 'idle' })
  const waiting = [1, 2].map(() => leases.acquire('a', { preempt: 'idle' }))
  await wait(5)
  const before = Date.now()
  assert.is(await refusal(leases.acquire('a', { preempt: 'idle' })), 'UPLOAD_LOCKED')
  assert.ok(Date.now() - before < 1_000)
  held.release()
  for (const next of waiting) (await next).release()
})

test('who must not disturb the holder gives up before it is asked', async () => {
  const leases = createLeases()
  const held = await leases.acquire('a', { preempt: 'idle' })
  const refused = leases.acquire('a', {
    preempt: 'now',
    beforeWaiting: () => Promise.reject(new CarcosaError('UPLOAD_NOT_FOUND')),
  })
  assert.is(await refusal(refused), 'UPLOAD_NOT_FOUND')
  assert.not.ok(held.releaseRequested.aborted)
  held.release()
})

test('waiting does not use the CPU', async () => {
  const leases = createLeases({ idleMs: 100 })
  const held = await leases.acquire('a', { preempt: 'idle' })
  const waiting = Array.from({ length: 50 }, () =>
    leases.acquire('a', { preempt: 'idle' }),
  )
  const before = process.cpuUsage()
  await wait(500)
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 150_000, `${user + system} µs of CPU in half a second`)
  held.release()
  for (const next of waiting) (await next).release()
})

test('at its end every holder is asked to end, also those who come later', async () => {
  const leases = createLeases()
  const a = await leases.acquire('a', { preempt: 'idle' })
  const next = leases.acquire('a', { preempt: 'idle' })
  leases.end()
  assert.ok(a.releaseRequested.aborted)
  a.release()
  assert.ok((await next).releaseRequested.aborted)
  assert.ok((await leases.acquire('b', { preempt: 'idle' })).releaseRequested.aborted)
})

test.run()

async function refusal(lease: Promise<Lease>): Promise<string> {
  return lease.then(
    () => 'granted',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}

async function requested({ releaseRequested }: Lease, ms: number): Promise<void> {
  for (const until = Date.now() + ms; !releaseRequested.aborted; await wait(5)) {
    assert.ok(Date.now() < until, `nobody asked within ${ms} ms`)
  }
}
