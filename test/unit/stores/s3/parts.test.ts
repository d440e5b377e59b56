/** How large parts are, and when what is left over becomes one. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connected } from '../../../../stores/s3/client.ts'
import { readOptions, type S3Profile } from '../../../../stores/s3/options.ts'
import { partTarget } from '../../../../stores/s3/parts.ts'

const MiB = 1024 ** 2
const TiB = 1024 ** 4

/** The target of an object of at most `maxSize` bytes; it sends nothing. */
function target(maxSize: number, profile: S3Profile = {}) {
  const settings = readOptions({ bucket: 'b', profile })
  const at = (key: string) => ({ Bucket: 'b', Key: key })
  // Sizes are computed without a request, so neither SDK nor clients are looked at.
  return partTarget({ settings, at } as unknown as Connected, { key: 'k', maxSize })
}

/** How many parts an object of `size` bytes gets, and the size of the largest. */
function cut(size: number, profile?: S3Profile) {
  const { partSize } = target(size, profile)
  const sizes = new Set<number>()
  let position = 0
  let count = 0
  for (; position < size; count++) {
    const bytes = partSize({ count, position })
    sizes.add(bytes)
    position += bytes
  }
  return { count, sizes: [...sizes] }
}

const test = suite('parts of S3')

for (const [size, profile, most] of [
  [128 * MiB, {}, 10_000],
  [80_000 * MiB, {}, 10_000],
  [TiB, {}, 10_000],
  [5 * TiB, {}, 10_000],
  [5 * TiB, { equalParts: true }, 10_000],
  [100_000 * MiB, { maxParts: 1000 }, 1000],
  [TiB, { maxParts: 1000 }, 1000],
] as const) {
  const about = `${size / MiB} MiB ${JSON.stringify(profile)}`
  test(`(S12) ${about} fits into ${most} of them`, () => {
    assert.ok(cut(size, profile).count <= most)
  })
}

test('are of 8 MiB as long as that is enough', () => {
  assert.equal(cut(128 * MiB), { count: 16, sizes: [8 * MiB] })
})

test('(S5) begin small where the route allows terabytes, and grow with the object', () => {
  const { partSize } = target(5 * TiB)
  assert.is(partSize({ count: 0, position: 0 }), 8 * MiB)
  assert.ok(partSize({ count: 9_999, position: 4 * TiB }) > 512 * MiB)
})

test('(S3) are all of one size where the service demands it', () => {
  assert.is(cut(TiB, { equalParts: true }).sizes.length, 1)
})

const start = { count: 0, position: 0 }

for (const [what, rest, profile, expected] of [
  ['too few bytes', { bytes: 5 * MiB - 1, arrived: 5 * MiB - 1 }, {}, 0],
  ['enough bytes', { bytes: 6 * MiB, arrived: 6 * MiB }, {}, 6 * MiB],
  ['enough, but few of them new', { bytes: 6 * MiB, arrived: MiB }, {}, 0],
  [
    'enough, but parts must be equal',
    { bytes: 6 * MiB, arrived: 6 * MiB },
    { equalParts: true },
    0,
  ],
] as const) {
  test(`left over: ${what}`, () => {
    assert.is(target(128 * MiB, profile).shortPart(start, rest), expected)
  })
}

test('(S12) short ones stop while full ones still have numbers', () => {
  const size = 80_000 * MiB - 1
  const { shortPart, partSize } = target(size)
  let [count, position] = [0, 0]
  while (position < size) {
    const left = size - position
    const bytes = Math.min(6 * MiB, left)
    const at = { count, position }
    const short = shortPart(at, { bytes, arrived: bytes })
    position += short > 0 ? short : Math.min(partSize(at), left)
    count++
  }
  assert.ok(count <= 10_000, `${count} parts`)
})

test.run()
