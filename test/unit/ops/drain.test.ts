import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDrain } from '../../../src/ops/drain.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'

const test = suite('ops/drain')

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'nothing'
  } catch (error) {
    return error instanceof CarcosaError ? error.code : String(error)
  }
}

test('it is open until closing begins, and then refuses with Retry-After', async () => {
  const drain = createDrain()
  drain.assertOpen()
  assert.not.ok(drain.closing.aborted)
  drain.begin()
  assert.ok(drain.closing.aborted)
  assert.is(await codeOf(drain.assertOpen), 'SHUTTING_DOWN')
  try {
    drain.assertOpen()
  } catch (error) {
    assert.is((error as CarcosaError).status, 503)
    assert.match((error as CarcosaError).headers['Retry-After'] ?? '', /^\d+$/)
  }
})

test('with nothing running it is idle at once', async () => {
  assert.is(await createDrain().idle(60_000), 0)
})

test('it waits for everything that runs, also what fails', async () => {
  const drain = createDrain()
  let ended = 0
  const work = [10, 20, 30].map((ms) =>
    drain.run(async () => {
      await sleep(ms)
      ended++
      if (ms === 20) throw new Error('failed')
    }),
  )
  const settled = Promise.allSettled(work)
  drain.begin()
  assert.is(await drain.idle(60_000), 0)
  assert.is(ended, 3)
  const outcomes = (await settled).map(({ status }) => status)
  assert.equal(outcomes, ['fulfilled', 'rejected', 'fulfilled'])
})

test('it waits for what running work begins while closing', async () => {
  const drain = createDrain()
  const order: string[] = []
  const outer = drain.run(async () => {
    await sleep(5)
    await drain.run(async () => {
      await sleep(20)
      order.push('inner')
    })
  })
  drain.begin()
  await drain.idle(60_000)
  order.push('idle')
  await outer
  assert.equal(order, ['inner', 'idle'])
})

test('it gives up waiting after its time and says how much still runs', async () => {
  const drain = createDrain()
  let finish = () => {}
  const never = new Promise<void>((resolve) => {
    finish = resolve
  })
  const work = [drain.run(() => never), drain.run(() => never)]
  assert.is(await drain.idle(20), 2)
  finish()
  await Promise.all(work)
  assert.is(await drain.idle(20), 0)
})

test('two may wait for it', async () => {
  const drain = createDrain()
  const work = drain.run(() => sleep(10))
  assert.equal(await Promise.all([drain.idle(5_000), drain.idle(5_000)]), [0, 0])
  await work
})

test('running work may ask for more until the end', async () => {
  const drain = createDrain()
  drain.begin()
  drain.assertNotEnded()
  drain.end()
  assert.is(await codeOf(drain.assertNotEnded), 'SHUTTING_DOWN')
})

test('what fails before its first turn is no longer counted', async () => {
  const drain = createDrain()
  const failed = await codeOf(() =>
    drain.run(() => {
      throw new Error('at once')
    }),
  )
  assert.is(failed, 'Error: at once')
  assert.is(await drain.idle(20), 0)
})

test.run()
