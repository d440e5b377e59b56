import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createBelief } from '../../../src/shared/belief.ts'

const test = suite('what is believed for a while')

let clock = 0
let loads = 0
const now = () => clock
const load = (value: string | null) => async () => {
  loads++
  return value
}
/** A load that answers when it is told to. */
function slow() {
  const { promise, resolve, reject } = Promise.withResolvers<string | null>()
  return { resolve, reject, load: () => promise }
}
const belief = () =>
  createBelief<string | null>({ ms: 1_000, most: 3, isKept: (one) => one !== null, now })

test.before.each(() => {
  clock = 0
  loads = 0
})

test('it is believed for its time, counted from before it was read', async () => {
  const found = belief()
  const { load, resolve } = slow()
  const reading = found.read('a', load)
  clock = 400
  resolve('one')
  assert.is(await reading, 'one')
  clock = 999
  assert.is(found.get('a'), 'one')
  clock = 1_000
  assert.is(found.get('a'), undefined)
})

test('who asks while it is read gets the same answer', async () => {
  const found = belief()
  const both = await Promise.all([
    found.read('a', load('one')),
    found.read('a', load('two')),
  ])
  assert.equal(both, ['one', 'one'])
  assert.is(loads, 1)
})

test('what is not to be kept is read every time', async () => {
  const found = belief()
  assert.is(await found.read('a', load(null)), null)
  assert.is(found.get('a'), undefined)
  assert.is(await found.read('a', load('one')), 'one')
})

test('what was asked before a change is told, and not kept', async () => {
  for (const change of ['forget', 'forgetWhere', 'forgetAll'] as const) {
    const found = belief()
    const { load: early, resolve } = slow()
    const reading = found.read('a', early)
    if (change === 'forget') found.forget('a')
    else if (change === 'forgetWhere') found.forgetWhere(() => false)
    else found.forgetAll()
    const later = found.read('a', load('new'))
    resolve('old')
    assert.equal(await Promise.all([reading, later]), ['old', 'new'])
    assert.is(found.get('a'), 'new', change)
  }
})

test('an older answer that comes later changes nothing', async () => {
  const found = belief()
  const { load: early, resolve } = slow()
  const first = found.read('a', early)
  assert.is(await found.readAnew('a', load('new')), 'new')
  resolve('old')
  await first
  assert.is(found.get('a'), 'new')
})

test('a change of one leaves the others', async () => {
  const found = belief()
  for (const key of ['a', 'b', 'c']) await found.read(key, load(key))
  found.forget('a')
  found.forgetWhere((value) => value === 'b')
  assert.equal(
    ['a', 'b', 'c'].map((key) => found.get(key)),
    [undefined, undefined, 'c'],
  )
  found.forgetAll()
  assert.is(found.get('c'), undefined)
})

test('a failure is told to all who wait, and the next one reads again', async () => {
  const found = belief()
  const { load: failing, reject } = slow()
  const both = [found.read('a', failing), found.read('a', failing)]
  reject(new Error('down'))
  const settled = await Promise.allSettled(both)
  assert.equal(
    settled.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.is(await found.read('a', load('up')), 'up')
})

test('the oldest goes where there are too many', async () => {
  const found = belief()
  for (const key of ['a', 'b', 'c', 'd']) await found.read(key, load(key))
  assert.is(found.get('a'), undefined)
  assert.is(found.get('d'), 'd')
})

test.run()
