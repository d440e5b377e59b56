import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arrived, readOffer } from '../../../client/offer.ts'

const url = 'https://bucket.example.com/key?signature=1'
const parts = [
  { url, size: 5, headers: { a: 'b' } },
  { url, size: 3, receipt: '"e"' },
]
const offer = { url: '/uploads/demo/1', expiresAt: '2026-01-01T00:00:00Z', parts }

const test = suite('an offer to upload directly')

test('is read as the server says it, and as it was remembered', () => {
  const read = readOffer(offer, 8)
  assert.equal(read, {
    expiresAt: Date.parse('2026-01-01T00:00:00Z'),
    parts: [
      { url, size: 5, headers: { a: 'b' }, receipt: null },
      { url, size: 3, headers: {}, receipt: '"e"' },
    ],
  })
  assert.equal(readOffer(JSON.parse(JSON.stringify(read)), 8), read)
  assert.is(read && arrived(read), 3)
})

test('is a copy, so that what is remembered does not change by itself', () => {
  const first = readOffer(offer, 8)
  const second = readOffer(first, 8)
  if (second?.parts[0]) second.parts[0].receipt = '"new"'
  assert.is(first?.parts[0]?.receipt, null)
})

const wrong: [what: string, value: unknown][] = [
  ['absent', undefined],
  ['null', null],
  ['text', 'x'],
  ['without parts', { expiresAt: 1 }],
  ['of no parts', { ...offer, parts: [] }],
  ['of other parts', { ...offer, parts: [null] }],
  ['of fewer bytes', { ...offer, parts: parts.slice(1) }],
  ['of more bytes', { ...offer, parts: [...parts, ...parts] }],
  ['without an end', { ...offer, expiresAt: undefined }],
  ['of a senseless end', { ...offer, expiresAt: 'soon' }],
  ...[
    { url: 'nowhere', size: 8 },
    { url, size: '8' },
    { url, size: 8, headers: 'x' },
    { url, size: 8, receipt: 1 },
  ].map((part): [string, unknown] => [
    `of the part ${JSON.stringify(part)}`,
    { ...offer, parts: [part] },
  ]),
  [
    'of a part of less than nothing',
    {
      ...offer,
      parts: [
        { url, size: 9 },
        { url, size: -1 },
      ],
    },
  ],
]
for (const [what, value] of wrong) {
  test(`that is ${what} is none`, () => {
    assert.is(readOffer(value, 8), null)
  })
}

test.run()
