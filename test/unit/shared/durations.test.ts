import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDuration } from '../../../src/shared/durations.ts'

const good: [string | number, number][] = [
  [0, 0],
  [250, 250],
  ['250ms', 250],
  ['90s', 90_000],
  ['90 seconds', 90_000],
  ['1 second', 1000],
  ['30m', 1_800_000],
  ['30 min', 1_800_000],
  ['1h', 3_600_000],
  ['1.5 hours', 5_400_000],
  ['24H', 86_400_000],
  ['2 days', 172_800_000],
  ['2d', 172_800_000],
  [' 1 week ', 604_800_000],
]
for (const [given, ms] of good) {
  test(`${JSON.stringify(given)} is ${ms} ms`, () => {
    assert.is(parseDuration(given), ms)
  })
}

const bad: (string | number)[] = [
  '',
  '60',
  'h',
  '-1h',
  '1 month',
  '1 year',
  '1h30m',
  'constructor',
  '1 constructor',
  '1e3s',
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '999999999999 weeks',
]
for (const given of bad) {
  test(`${JSON.stringify(given)} (${given}) is refused with what was given and what is allowed`, () => {
    assert.throws(
      () => parseDuration(given),
      (error: unknown) =>
        error instanceof TypeError &&
        error.message.includes(typeof given === 'string' ? `"${given}"` : `${given}`) &&
        error.message.includes('2 days'),
    )
  })
}

test.run()
