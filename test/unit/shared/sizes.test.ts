import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatSize, parseSize } from '../../../src/shared/sizes.ts'

const good: [string | number, number][] = [
  [0, 0],
  [1536, 1536],
  ['1024', 1024],
  ['12 bytes', 12],
  ['1 byte', 1],
  ['7B', 7],
  ['64KB', 65_536],
  ['64 kb', 65_536],
  ['64KiB', 65_536],
  ['64k', 65_536],
  ['10MB', 10_485_760],
  ['10 MiB', 10_485_760],
  ['1.5 GiB', 1_610_612_736],
  ['1.5GB', 1_610_612_736],
  ['  2 tb ', 2_199_023_255_552],
  ['1PB', 1_125_899_906_842_624],
  ['0.3KB', 307],
]
for (const [given, bytes] of good) {
  test(`${JSON.stringify(given)} is ${bytes} bytes`, () => {
    assert.is(parseSize(given), bytes)
  })
}

const bad: (string | number)[] = [
  '',
  'MB',
  '-1MB',
  '10 megs',
  '10,5MB',
  '1e3',
  '0x10',
  '10MBs',
  '10 M B',
  '10ib',
  '10 ib',
  '9PB',
  '9007199254740993',
  'Infinity',
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
]
for (const given of bad) {
  test(`${JSON.stringify(given)} (${given}) is refused with what was given and what is allowed`, () => {
    assert.throws(
      () => parseSize(given),
      (error: unknown) =>
        error instanceof TypeError &&
        error.message.includes(typeof given === 'string' ? `"${given}"` : `${given}`) &&
        error.message.includes('10MB'),
    )
  })
}

const shown: [number, string][] = [
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KB'],
  [1536, '1.5 KB'],
  [4 * 1024 ** 2, '4 MB'],
  [4 * 1024 ** 2 - 1, '3.99 MB'],
  [5.25 * 1024 ** 3, '5.25 GB'],
  [2000 * 1024 ** 5, '2000 PB'],
]
for (const [bytes, text] of shown) {
  test(`${bytes} bytes are shown as ${text}`, () => {
    assert.is(formatSize(bytes), text)
  })
}

test.run()
