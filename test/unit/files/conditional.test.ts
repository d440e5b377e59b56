import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { evaluatePreconditions, rangeApplies } from '../../../src/files/conditional.ts'

const test = suite('files/conditional')

// asctime() dates name no zone: they must be read as GMT wherever the server stands.
process.env.TZ = 'Pacific/Auckland'

const current = { etag: '"abc"', lastModified: new Date('1994-11-06T08:49:37.900Z') }
const same = 'Sun, 06 Nov 1994 08:49:37 GMT'
const before = 'Sun, 06 Nov 1994 08:49:36 GMT'
const after = 'Sun, 06 Nov 1994 08:49:38 GMT'

/** [request headers, verdict] */
const preconditions: [headers: Record<string, string>, expected: string][] = [
  [{}, 'proceed'],
  // If-Match: strong comparison
  [{ 'If-Match': '"abc"' }, 'proceed'],
  [{ 'If-Match': '*' }, 'proceed'],
  [{ 'If-Match': '"x", "abc"' }, 'proceed'],
  [{ 'If-Match': '"x","abc",' }, 'proceed'],
  [{ 'If-Match': '"x"' }, 'failed'],
  [{ 'If-Match': 'W/"abc"' }, 'failed'],
  [{ 'If-Match': '"ABC"' }, 'failed'],
  [{ 'If-Match': 'abc' }, 'failed'],
  [{ 'If-Match': '' }, 'failed'],
  [{ 'If-Match': '"x" "abc"' }, 'failed'],
  [{ 'If-Match': '"x, "abc"' }, 'failed'],
  // If-None-Match: weak comparison
  [{ 'If-None-Match': '"abc"' }, 'unchanged'],
  [{ 'If-None-Match': 'W/"abc"' }, 'unchanged'],
  [{ 'If-None-Match': '*' }, 'unchanged'],
  [{ 'If-None-Match': '"x", W/"y" , "abc"' }, 'unchanged'],
  [{ 'If-None-Match': ', "abc"' }, 'unchanged'],
  [{ 'If-None-Match': '"a,b", "abc"' }, 'unchanged'],
  [{ 'If-None-Match': '"x"' }, 'proceed'],
  [{ 'If-None-Match': '"a,abc"' }, 'proceed'],
  [{ 'If-None-Match': 'abc' }, 'proceed'],
  [{ 'If-None-Match': 'w/"abc"' }, 'proceed'],
  [{ 'If-None-Match': '"abc' }, 'proceed'],
  // If-Unmodified-Since
  [{ 'If-Unmodified-Since': same }, 'proceed'],
  [{ 'If-Unmodified-Since': after }, 'proceed'],
  [{ 'If-Unmodified-Since': before }, 'failed'],
  [{ 'If-Unmodified-Since': 'yesterday' }, 'proceed'],
  // If-Modified-Since
  [{ 'If-Modified-Since': same }, 'unchanged'],
  [{ 'If-Modified-Since': after }, 'unchanged'],
  [{ 'If-Modified-Since': before }, 'proceed'],
  // The obsolete forms of a date
  [{ 'If-Modified-Since': 'Sunday, 06-Nov-94 08:49:37 GMT' }, 'unchanged'],
  [{ 'If-Modified-Since': 'Sunday, 06-Nov-94 08:49:36 GMT' }, 'proceed'],
  [{ 'If-Modified-Since': 'Sun Nov  6 08:49:37 1994' }, 'unchanged'],
  [{ 'If-Modified-Since': 'Sun Nov  6 08:49:36 1994' }, 'proceed'],
  // Not a date of HTTP: ignored
  [{ 'If-Modified-Since': '2030-01-01T00:00:00Z' }, 'proceed'],
  [{ 'If-Modified-Since': '2030' }, 'proceed'],
  [{ 'If-Modified-Since': 'Sun, 06 Nov 2094 08:49:37 +0200' }, 'proceed'],
  [{ 'If-Modified-Since': 'sun, 06 nov 2094 08:49:37 GMT' }, 'proceed'],
  [{ 'If-Modified-Since': 'Sun, 06 Nov 2094 99:49:37 GMT' }, 'proceed'],
  [{ 'If-Modified-Since': `${after}, ${after}` }, 'proceed'],
  [{ 'If-Modified-Since': '' }, 'proceed'],
  // Precedence, RFC 9110 §13.2.2
  [{ 'If-Match': '"abc"', 'If-Unmodified-Since': before }, 'proceed'],
  [{ 'If-Match': '"x"', 'If-Unmodified-Since': after }, 'failed'],
  [{ 'If-Match': '"x"', 'If-None-Match': '"abc"' }, 'failed'],
  [{ 'If-Match': '"abc"', 'If-None-Match': '"abc"' }, 'unchanged'],
  [{ 'If-None-Match': '"x"', 'If-Modified-Since': after }, 'proceed'],
  [{ 'If-None-Match': '"abc"', 'If-Modified-Since': before }, 'unchanged'],
  [{ 'If-Unmodified-Since': before, 'If-None-Match': '"abc"' }, 'failed'],
]

for (const [headers, expected] of preconditions) {
  test(`${JSON.stringify(headers)} is ${expected}`, () => {
    assert.is(evaluatePreconditions(new Headers(headers), current), expected)
  })
}

const ifRange: [value: string, expected: boolean][] = [
  ['"abc"', true],
  ['"x"', false],
  ['W/"abc"', false],
  ['"abc", "x"', false],
  ['*', false],
  ['', false],
  [same, true],
  ['Sunday, 06-Nov-94 08:49:37 GMT', true],
  // Equality, not order: another date is another version
  [before, false],
  [after, false],
  ['1994-11-06T08:49:37Z', false],
]

for (const [value, expected] of ifRange) {
  test(`If-Range: ${value} ${expected ? 'lets' : 'does not let'} the range count`, () => {
    assert.is(rangeApplies(new Headers({ 'If-Range': value }), current), expected)
  })
}

test('a range counts without If-Range', () => {
  assert.ok(rangeApplies(new Headers(), current))
})

test('dates are ignored when it is not known when the content changed', () => {
  const unknown = { etag: '"abc"', lastModified: null }
  const verdict = (headers: Record<string, string>) =>
    evaluatePreconditions(new Headers(headers), unknown)
  assert.is(verdict({ 'If-Modified-Since': after }), 'proceed')
  assert.is(verdict({ 'If-Unmodified-Since': before }), 'proceed')
  assert.not(rangeApplies(new Headers({ 'If-Range': same }), unknown))
})

test('a list of a thousand tags is read in no time', () => {
  const list = `${'"x",'.repeat(4000)}"`
  const started = performance.now()
  assert.is(
    evaluatePreconditions(new Headers({ 'If-None-Match': list }), current),
    'proceed',
  )
  assert.ok(performance.now() - started < 200)
})

test.run()
