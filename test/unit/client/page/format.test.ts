import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  count,
  formatBytes,
  formatDuration,
  formatFraction,
  join,
} from '../../../../client/page/format.ts'

const test = suite('numbers on the demo page')

/** With the gaps that no line break may part as plain spaces. */
function plain(text: string): string {
  return text.replaceAll('\u00a0', ' ')
}

test('bytes have three digits that count, and never four', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '0.98 KB'],
    [1024, '1.00 KB'],
    [10 * 1024, '10.0 KB'],
    [100 * 1024, '100 KB'],
    [999.4 * 1024, '999 KB'],
    [1023 * 1024, '1.00 MB'],
    [5 * 1024 ** 3, '5.00 GB'],
    [5000 * 1024 ** 4, '5000 TB'],
  ]
  for (const [bytes, text] of cases) assert.is(plain(formatBytes(bytes)), text)
})

test('durations are no more exact than anybody can tell', () => {
  const cases: [number, string][] = [
    [0, '1 s'],
    [0.4, '1 s'],
    [59, '59 s'],
    [59.7, '1 min'],
    [119, '2 min'],
    [3599, '1 h'],
    [4800, '1 h 20 min'],
    [30 * 3600, '30 h'],
    [72 * 3600, '3 days'],
  ]
  for (const [seconds, text] of cases) assert.is(plain(formatDuration(seconds)), text)
})

test('nothing is at 100 % before it is complete', () => {
  assert.is(plain(formatFraction(0.999999)), '99 %')
  assert.is(plain(formatFraction(1)), '100 %')
})

test('one is one, and the others are many', () => {
  assert.is(count(1, 'file'), '1 file')
  assert.is(count(0, 'file'), '0 files')
  assert.is(count(2, 'file'), '2 files')
})

test('only parts that are there are joined', () => {
  assert.is(plain(join('a', false, null, 0, '', 'b')), 'a · b')
})

test.run()
