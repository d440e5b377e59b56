import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createTails, feed, headBytes } from '../../../src/uploads/tails.ts'

const test = suite('uploads/tails')

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

test('an upload that begins is remembered from its first byte', () => {
  const tail = createTails(true).take('a', 0)
  assert.is(tail?.offset, 0)
  assert.is(tail?.hash?.digest('hex'), sha256(''))
})

test('what was put away at an offset comes back at that offset', () => {
  const tails = createTails(true)
  const tail = tails.take('a', 0)
  assert.ok(tail)
  feed(tail, Buffer.from('hello '))
  tails.put('a', tail)
  assert.is(tails.offsetOf('a'), 6)
  const again = tails.take('a', 6)
  assert.ok(again)
  feed(again, Buffer.from('world'))
  assert.is(again.offset, 11)
  assert.is(again.hash?.digest('hex'), sha256('hello world'))
  assert.is(again.head.toString(), 'hello world')
})

for (const offset of [1, 5, 7, 1e9]) {
  test(`at ${offset} instead of 6, another process wrote: nothing is remembered`, () => {
    const tails = createTails(true)
    const tail = tails.take('a', 0)
    assert.ok(tail)
    feed(tail, Buffer.from('hello '))
    tails.put('a', tail)
    assert.is(tails.take('a', offset), null)
    assert.is(tails.take('a', 6), null, 'and it stays forgotten')
  })
}

test('an upload that starts over is remembered afresh', () => {
  const tails = createTails(true)
  const tail = tails.take('a', 0)
  assert.ok(tail)
  feed(tail, Buffer.from('wrong'))
  tails.put('a', tail)
  assert.is(tails.take('a', 0)?.head.length, 0)
})

test('who takes it has it alone', () => {
  const tails = createTails(true)
  tails.begin('a', null)
  assert.is(tails.offsetOf('a'), 0)
  tails.take('a', 0)
  assert.is(tails.offsetOf('a'), null)
})

test('without a digest nothing is hashed, but the first bytes are kept', () => {
  const tail = createTails(false).take('a', 0)
  assert.ok(tail)
  feed(tail, Buffer.from('GIF89a'))
  assert.is(tail.hash, null)
  assert.is(tail.head.toString(), 'GIF89a')
})

test('of a long file only the first bytes are kept, whatever the chunks', () => {
  const bytes = Buffer.alloc(3 * headBytes, 'abcdefg')
  for (const step of [1, 7, 1000, headBytes, bytes.length]) {
    const tail = createTails(false).take('a', 0)
    assert.ok(tail)
    for (let at = 0; at < bytes.length; at += step) {
      feed(tail, bytes.subarray(at, at + step))
    }
    assert.ok(tail.head.equals(bytes.subarray(0, headBytes)), `chunks of ${step}`)
    assert.is(tail.offset, bytes.length)
  }
})

test('beyond its capacity the uploads untouched for longest are forgotten', () => {
  const tails = createTails(false, 3)
  for (const id of ['a', 'b', 'c', 'd', 'e']) tails.begin(id, null)
  const known = ['a', 'b', 'c', 'd', 'e'].filter((id) => tails.offsetOf(id) !== null)
  assert.equal(known, ['c', 'd', 'e'])
})

test('what is dropped is forgotten', () => {
  const tails = createTails(true)
  tails.begin('a', null)
  tails.drop('a')
  assert.is(tails.offsetOf('a'), null)
})

test.run()
