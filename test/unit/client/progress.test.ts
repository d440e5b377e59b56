import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createMeter } from '../../../client/progress.ts'

const test = suite('the meter')

/** A meter with a clock that moves when it is told to. */
function subject() {
  const clock = { now: 0 }
  return { clock, meter: createMeter(() => clock.now) }
}

test('does not know a rate from the first number', () => {
  const progress = subject().meter.update(500, 1000)
  assert.equal(progress, { sent: 500, size: 1000, fraction: 0.5, rate: null, eta: null })
})

test('a steady stream has its rate, and the time left follows', () => {
  const { clock, meter } = subject()
  meter.update(0, 10_000)
  for (let second = 1; second <= 4; second++) {
    clock.now = second * 1000
    meter.update(second * 1000, 10_000)
  }
  const { rate, eta } = meter.update(4000, 10_000)
  assert.ok(Math.abs((rate ?? 0) - 1000) < 1e-6)
  assert.ok(Math.abs((eta ?? 0) - 6) < 1e-6)
})

test('bytes that were there before a resume are no speed', () => {
  const { clock, meter } = subject()
  meter.update(900, 1000)
  clock.now = 1000
  assert.is(meter.update(910, 1000).rate, 10)
})

test('a step back is no speed either', () => {
  const { clock, meter } = subject()
  meter.update(0, 1000)
  clock.now = 1000
  meter.update(100, 1000)
  clock.now = 2000
  assert.is(meter.update(50, 1000).rate, 100)
  clock.now = 3000
  assert.is(Math.round(meter.update(150, 1000).rate ?? 0), 100)
})

test('one slow moment does not make the rate jump', () => {
  const { clock, meter } = subject()
  meter.update(0, 1e6)
  for (let i = 1; i <= 20; i++) {
    clock.now = i * 500
    meter.update(i * 500, 1e6)
  }
  clock.now += 500
  const { rate } = meter.update(10_000, 1e6)
  assert.ok(rate && rate > 800 && rate < 1000)
})

test('nothing moves: the rate falls, and the time left grows', () => {
  const { clock, meter } = subject()
  meter.update(0, 1000)
  clock.now = 1000
  const before = meter.update(100, 1000)
  clock.now = 30_000
  const after = meter.update(100, 1000)
  assert.ok((after.rate ?? 0) < 1)
  assert.ok((after.eta ?? 0) > (before.eta ?? 0))
})

test('a new run begins without a rate', () => {
  const { clock, meter } = subject()
  meter.update(0, 1000)
  clock.now = 1000
  meter.update(100, 1000)
  meter.reset()
  assert.is(meter.update(100, 1000).rate, null)
})

test('an empty file is whole', () => {
  assert.is(subject().meter.update(0, 0).fraction, 1)
})

test.run()
