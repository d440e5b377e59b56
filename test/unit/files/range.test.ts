import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { maxRanges, parseRange } from '../../../src/files/range.ts'
import { seededRandom } from '../../support/random.ts'

const test = suite('files/range')

const ascending = (count: number) =>
  `bytes=${Array.from({ length: count }, (_, i) => `${i * 2}-${i * 2}`).join(',')}`

/** [header, size, `start-end` of each part, or a verdict] */
const cases: [header: string | null, size: number, expected: string][] = [
  // One range
  [null, 10, 'whole'],
  ['bytes=0-0', 10, '0-0'],
  ['bytes=0-9', 10, '0-9'],
  ['bytes=2-5', 10, '2-5'],
  ['bytes=9-9', 10, '9-9'],
  ['bytes=0-', 10, '0-9'],
  ['bytes=9-', 10, '9-9'],
  ['bytes=-1', 10, '9-9'],
  ['bytes=-10', 10, '0-9'],
  // Clipped to the file
  ['bytes=5-10', 10, '5-9'],
  ['bytes=5-99999999999999999999999999', 10, '5-9'],
  ['bytes=-11', 10, '0-9'],
  [`bytes=-${'9'.repeat(400)}`, 10, '0-9'],
  ['bytes=9007199254740990-', 2 ** 53 - 1, '9007199254740990-9007199254740990'],
  // Outside of it
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=10-20', 10, 'unsatisfiable'],
  ['bytes=-0', 10, 'unsatisfiable'],
  [`bytes=${'9'.repeat(400)}-`, 10, 'unsatisfiable'],
  ['bytes=10-,11-12,-0', 10, 'unsatisfiable'],
  ['bytes=10-,1-2', 10, '1-2'],
  // Tolerated spelling
  ['BYTES=1-2', 10, '1-2'],
  ['bytes= 1-2', 10, '1-2'],
  [' bytes=1-2 ', 10, '1-2'],
  ['bytes=1-2 ,\t4-5', 10, '1-2 4-5'],
  ['bytes=,1-2,,', 10, '1-2'],
  // Malformed: ignored
  ['', 10, 'whole'],
  ['bytes', 10, 'whole'],
  ['bytes=', 10, 'whole'],
  ['bytes=,', 10, 'whole'],
  ['bytes=-', 10, 'whole'],
  ['bytes=5-2', 10, 'whole'],
  ['bytes=1-2,5-2', 10, 'whole'],
  ['bytes=1 - 2', 10, 'whole'],
  ['bytes =1-2', 10, 'whole'],
  ['bytes=a-b', 10, 'whole'],
  ['bytes=0x1-2', 10, 'whole'],
  ['bytes=1.5-2', 10, 'whole'],
  ['bytes=+1-2', 10, 'whole'],
  ['bytes=--1', 10, 'whole'],
  ['bytes=1-2-3', 10, 'whole'],
  ['bytes=1-2;3-4', 10, 'whole'],
  ['bytes=١-٢', 10, 'whole'],
  ['items=0-1', 10, 'whole'],
  ['0-1', 10, 'whole'],
  // Several
  ['bytes=0-1,4-5', 10, '0-1 4-5'],
  ['bytes=4-5,0-1', 10, '4-5 0-1'],
  ['bytes=-2,0-1', 10, '8-9 0-1'],
  // Overlapping or touching: merged, at the place of the earliest
  ['bytes=0-4,2-6', 10, '0-6'],
  ['bytes=0-4,5-6', 10, '0-6'],
  ['bytes=0-9,2-3', 10, '0-9'],
  ['bytes=0-,0-,0-,0-', 10, '0-9'],
  ['bytes=8-9,0-1,2-3', 10, '8-9 0-3'],
  ['bytes=5-6,0-1,1-2', 10, '5-6 0-2'],
  ['bytes=2-3,8-9,0-1', 10, '0-3 8-9'],
  // Too many: ignored
  [ascending(maxRanges), 1000, ascending(maxRanges).slice(6).replaceAll(',', ' ')],
  [ascending(maxRanges + 1), 1000, 'whole'],
  // An empty file has no ranges
  ['bytes=0-', 0, 'whole'],
  ['bytes=0-0', 0, 'whole'],
  ['bytes=-1', 0, 'whole'],
  ['bytes=5-', 0, 'whole'],
]

for (const [header, size, expected] of cases) {
  const shown = (header ?? 'no header').slice(0, 40)
  test(`"${shown}" of ${size} bytes is ${expected.slice(0, 40)}`, () => {
    assert.is(show(parseRange(header, size)), expected)
  })
}

test('random ranges select exactly the bytes asked for, each once, in the order asked', () => {
  const seed = 20260102
  const random = seededRandom(seed)
  for (let round = 0; round < 3000; round++) {
    const size = 1 + Math.floor(random() * 24)
    const specs = Array.from({ length: 1 + Math.floor(random() * 6) }, () =>
      randomSpec(random, size),
    )
    const header = `bytes=${specs.join(',')}`
    const context = `seed ${seed}, round ${round}: ${header} of ${size}`
    const asked = specs.map((spec) => reference(spec, size))
    const verdict = parseRange(header, size)
    if (asked.every((bytes) => bytes.length === 0)) {
      assert.is(verdict, 'unsatisfiable', context)
      continue
    }
    if (typeof verdict === 'string') throw new Error(`${verdict}: ${context}`)
    const parts = verdict.map(({ start, end }) =>
      Array.from({ length: end - start + 1 }, (_, i) => start + i),
    )
    const union = [...new Set(asked.flat())].sort((a, b) => a - b)
    assert.equal(
      parts.flat().sort((a, b) => a - b),
      union,
      context,
    )
    // The first byte anyone asked for is in the first part, and so on.
    const order = parts.map((part) => asked.findIndex((bytes) => overlaps(bytes, part)))
    assert.equal(
      order,
      [...order].sort((a, b) => a - b),
      context,
    )
  }
})

function show(verdict: ReturnType<typeof parseRange>): string {
  if (typeof verdict === 'string') return verdict
  return verdict.map(({ start, end }) => `${start}-${end}`).join(' ')
}

function randomSpec(random: () => number, size: number): string {
  const number = () => Math.floor(random() * (size + 4))
  const kind = random()
  if (kind < 0.2) return `-${number()}`
  const first = number()
  return kind < 0.35 ? `${first}-` : `${first}-${first + number()}`
}

/** The positions a spec selects, found by slicing and not by arithmetic. */
function reference(spec: string, size: number): number[] {
  const positions = Array.from({ length: size }, (_, i) => i)
  const [first = '', last = ''] = spec.split('-')
  if (first === '') return Number(last) === 0 ? [] : positions.slice(-Number(last))
  return positions.slice(Number(first), last === '' ? undefined : Number(last) + 1)
}

function overlaps(a: readonly number[], b: readonly number[]): boolean {
  return a.some((position) => b.includes(position))
}

test.run()
