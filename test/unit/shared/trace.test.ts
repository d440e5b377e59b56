import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTrace, traceparentOf } from '../../../src/shared/trace.ts'

const test = suite('trace')

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'
const ours = '00f067aa0ba902b7'
const read = (header: string | null, state: string | null = null) =>
  readTrace(header, state, () => ours)

test('a traceparent is continued with a span of our own', () => {
  const trace = read(`00-${traceId}-${parent}-01`, 'congo=t61rcWkgMzE')
  assert.equal(trace, {
    traceId,
    spanId: ours,
    flags: '01',
    state: 'congo=t61rcWkgMzE',
  })
  assert.is(trace && traceparentOf(trace), `00-${traceId}-${ours}-01`)
})

test('a later version may say more behind, and is passed on as the one we know', () => {
  const trace = read(`cc-${traceId}-${parent}-00-what-the-future-brings`)
  assert.is(trace && traceparentOf(trace), `00-${traceId}-${ours}-00`)
})

const refused: [what: string, header: string | null][] = [
  ['nothing', null],
  ['an empty one', ''],
  ['version ff', `ff-${traceId}-${parent}-01`],
  ['version 00 with more behind', `00-${traceId}-${parent}-01-x`],
  ['more behind without a dash', `cc-${traceId}-${parent}-01x`],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${parent}-01`],
  ['a span of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['capital letters', `00-${traceId.toUpperCase()}-${parent}-01`],
  ['a short trace', `00-${traceId.slice(1)}-${parent}-01`],
  ['a long span', `00-${traceId}-${parent}0-01`],
  ['flags that are no digits', `00-${traceId}-${parent}-0x`],
  ['two of them', `00-${traceId}-${parent}-01, 00-${traceId}-${parent}-01`],
]
for (const [what, header] of refused) {
  test(`${what} is no trace`, () => assert.is(read(header), null))
}

test('a tracestate that is no text of ASCII is dropped, and the trace goes on', () => {
  for (const state of ['a=\u00fc', 'x'.repeat(513)]) {
    assert.is(read(`00-${traceId}-${parent}-01`, state)?.state, '')
  }
})

test.run()
