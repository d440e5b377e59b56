import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createSlots } from '../../../client/slots.ts'

const { signal } = new AbortController()
const test = suite('slots')

/** Work that ends when it is told to. */
function work() {
  const state = { running: false, end: () => {}, fail: (_: unknown) => {} }
  const run = () => {
    state.running = true
    return new Promise<void>((resolve, reject) => {
      state.end = resolve
      state.fail = reject
    })
  }
  return { state, run }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

test('no more run than there is room for, first come first served', async () => {
  const slots = createSlots(2)
  const all = [work(), work(), work(), work()]
  for (const { run } of all) void slots.run(run, signal)
  const running = () => all.map(({ state }) => state.running)
  await settle()
  assert.equal(running(), [true, true, false, false])
  all[1]?.state.end()
  await settle()
  assert.equal(running(), [true, true, true, false])
})

test('work that fails makes room too, and its error is told', async () => {
  const slots = createSlots(1)
  const [first, second] = [work(), work()]
  const failed = slots.run(first.run, signal).catch((error) => error)
  void slots.run(second.run, signal)
  await settle()
  first.state.fail('broken')
  assert.is(await failed, 'broken')
  await settle()
  assert.is(second.state.running, true)
})

test('who stops waiting never runs, and the next one does', async () => {
  const slots = createSlots(1)
  const [first, second, third] = [work(), work(), work()]
  const controller = new AbortController()
  void slots.run(first.run, signal)
  const waiting = slots.run(second.run, controller.signal).catch((reason) => reason)
  void slots.run(third.run, signal)
  controller.abort('paused')
  assert.is(await waiting, 'paused')
  first.state.end()
  await settle()
  assert.is(second.state.running, false)
  assert.is(third.state.running, true)
})

test.run()
