import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { localChannel } from '../../../src/channel/local.ts'
import { createBus } from '../../../src/events/bus.ts'

const test = suite('events/bus')

/** Whether a promise settles within `ms`. */
async function within(ms: number, promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), sleep(ms, false)])
}

test('everybody who waits for a file hears of its change', async () => {
  const bus = createBus(localChannel())
  const waiting = [1, 2, 3].map(() => bus.wait('a', 5_000))
  bus.publish('a')
  await Promise.all(waiting)
})

test('nobody hears of the change of another file', async () => {
  const bus = createBus(localChannel())
  const waiting = bus.wait('a', 5_000)
  bus.publish('b')
  assert.not.ok(await within(30, waiting))
  bus.publish('a')
  await waiting
})

test('waiting ends by itself after its time', async () => {
  const bus = createBus(localChannel())
  const before = performance.now()
  await bus.wait('a', 30)
  assert.ok(performance.now() - before >= 29)
})

test('waiting ends when the waiter leaves, at once if it has left already', async () => {
  const bus = createBus(localChannel())
  const abort = new AbortController()
  const waiting = bus.wait('a', 5_000, abort.signal)
  abort.abort()
  await waiting
  assert.ok(await within(30, bus.wait('a', 5_000, abort.signal)))
})

test('a change before the waiting began is not heard', async () => {
  const bus = createBus(localChannel())
  bus.publish('a')
  const waiting = bus.wait('a', 5_000)
  assert.not.ok(await within(30, waiting))
  bus.publish('a')
  await waiting
})

test('who waits again while being told is told once', async () => {
  const bus = createBus(localChannel())
  let again: Promise<void> | undefined
  const waiting = bus.wait('a', 5_000).then(() => {
    again = bus.wait('a', 5_000)
  })
  bus.publish('a')
  await waiting
  assert.not.ok(await within(30, again ?? Promise.resolve()))
  bus.publish('a')
  await again
})

test('ten thousand waiters that come and go leave nothing on the signal', async () => {
  const bus = createBus(localChannel())
  const abort = new AbortController()
  const { signal } = abort
  let listeners = 0
  const count = (change: number, real: (...args: never[]) => void) =>
    function (this: unknown, ...args: never[]) {
      listeners += change
      return real.apply(signal, args)
    }
  Object.assign(signal, {
    addEventListener: count(1, signal.addEventListener),
    removeEventListener: count(-1, signal.removeEventListener),
  })
  const waiting = Array.from({ length: 10_000 }, () => bus.wait('a', 5_000, signal))
  assert.is(listeners, 10_000)
  bus.publish('a')
  await Promise.all(waiting)
  assert.is(listeners, 0)
})

test.run()
