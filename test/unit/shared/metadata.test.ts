import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../src/shared/errors.ts'
import {
  metadataLimits,
  parseMetadata,
  stringifyMetadata,
} from '../../../src/shared/metadata.ts'

const b64 = (text: string) => Buffer.from(text).toString('base64')
const entries = (header: string) => [...parseMetadata(header)]
const refused = (header: string) => {
  try {
    parseMetadata(header)
  } catch (error) {
    assert.instance(error, CarcosaError)
    return error as CarcosaError
  }
  throw new Error(`accepted: ${header.slice(0, 60)}`)
}

const good: [title: string, header: string, [string, string | null][]][] = [
  ['no pair', '', []],
  ['one pair', `filename ${b64('a.png')}`, [['filename', 'a.png']]],
  ['a key without a value', 'flag', [['flag', null]]],
  ['a key with an empty value', 'empty ', [['empty', '']]],
  [
    'pairs in the order they came, number-like keys too',
    `b ${b64('1')},10,2,a`,
    [
      ['b', '1'],
      ['10', null],
      ['2', null],
      ['a', null],
    ],
  ],
  ['Unicode', `n ${b64('日本 🎉')}`, [['n', '日本 🎉']]],
  ['control characters inside a value', `n ${b64('a\r\nb\0')}`, [['n', 'a\r\nb\0']]],
  ['bytes that are not UTF-8', 'n //6A', [['n', '\ufffd\ufffd\ufffd']]],
  [
    'keys of Object.prototype as keys like any other',
    `__proto__ ${b64('x')},constructor,toString ${b64('y')}`,
    [
      ['__proto__', 'x'],
      ['constructor', null],
      ['toString', 'y'],
    ],
  ],
  ['punctuation in a key', '!#$%/:;=?@[]{}~', [['!#$%/:;=?@[]{}~', null]]],
]
for (const [title, header, pairs] of good) {
  test(`reads ${title}`, () => {
    assert.equal(entries(header), pairs)
  })
}

const bad: [title: string, header: string][] = [
  ['a key that appears twice', `a ${b64('1')},a ${b64('2')}`],
  ['a key that appears twice without values', 'a,a'],
  ['an empty key', ` ${b64('1')}`],
  ['an empty pair', 'a,,b'],
  ['a comma at the end', 'a,'],
  ['a comma alone', ','],
  ['a space alone', ' '],
  ['a space after a comma', `a ${b64('1')}, b ${b64('2')}`],
  ['two spaces before the value', `a  ${b64('1')}`],
  ['a space after the value', `a ${b64('1')} `],
  ['a tab in place of the space', `a\t${b64('1')}`],
  ['a value that is not base64', 'a %%%%'],
  ['base64 without padding', 'a YQ'],
  ['base64 with too much padding', 'a YQ==='],
  ['padding alone', 'a ===='],
  ['the URL alphabet of base64', 'a _-_-'],
  ['line breaks inside base64', 'a YWFh\nYWFh'],
  ['a key with a control character', `a\u0001 ${b64('1')}`],
  ['a key that is not ASCII', `schlüssel ${b64('1')}`],
  ['a key that is too long', 'k'.repeat(metadataLimits.keyLength + 1)],
  ['too many keys', Array.from({ length: 101 }, (_, i) => `k${i}`).join(',')],
  ['a header that is too long', `a ${b64('x'.repeat(metadataLimits.headerLength))}`],
]
for (const [title, header] of bad) {
  test(`refuses ${title}`, () => {
    assert.is(refused(header).code, 'METADATA_INVALID')
  })
}

test('a refusal says which pair is wrong', () => {
  assert.match(refused('a,b,').message, 'pair 3')
  assert.match(refused('name YQ').message, '"name"')
  assert.equal(refused('a,b,').details, { index: 2 })
})

test('a hundred keys and a header of exactly the limit pass', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => `k${i}`).join(',')
  assert.is(parseMetadata(hundred).size, 100)
  const longest = `ab ${'YWFh'.repeat(2047)}`
  assert.is(longest.length, metadataLimits.headerLength - 1)
  assert.is(parseMetadata(longest).get('ab')?.length, 2047 * 3)
})

test('nothing reaches a prototype', () => {
  parseMetadata(`__proto__ ${b64('{"polluted":1}')},constructor ${b64('x')}`)
  assert.is(Reflect.get({}, 'polluted'), undefined)
  assert.type({}.constructor, 'function')
})

test('what is written is read back', () => {
  const pairs: [string, string | null][] = [
    ['filename', 'ü 日本.png'],
    ['flag', null],
    ['empty', ''],
    ['__proto__', 'x'],
  ]
  const header = stringifyMetadata(new Map(pairs))
  assert.is(header, `filename ${b64('ü 日本.png')},flag,empty ,__proto__ ${b64('x')}`)
  assert.equal(entries(header), pairs)
})

test('a plain object can be written too', () => {
  assert.is(stringifyMetadata({ a: '1', b: null }), `a ${b64('1')},b`)
})

test('what could not be read back is not written', () => {
  const long = 'x'.repeat(metadataLimits.headerLength)
  for (const [key, value] of [
    ['', 'x'],
    ['a b', 'x'],
    ['a,b', 'x'],
    ['ä', 'x'],
    ['a', long],
  ] as const) {
    assert.throws(
      () => stringifyMetadata({ [key]: value }),
      (error: CarcosaError) => error.code === 'METADATA_INVALID',
    )
  }
})

test.run()
