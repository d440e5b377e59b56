import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CarcosaError } from '../../../../src/shared/errors.ts'
import * as presets from '../../../../stores/presets.ts'
import { r2 } from '../../../../stores/r2.ts'
import { type S3StoreOptions, s3 } from '../../../../stores/s3.ts'

const test = suite('options of s3()')

for (const [given, why] of [
  [{ bucket: '' }, /bucket must be a name/],
  [{ prefix: 'no-slash' }, /prefix must be '' or end with a slash/],
  [{ prefix: '../up/' }, /prefix must be/],
  [{ prefix: 'a b/' }, /not "a b\/"/],
  [{ prefix: '/' }, /prefix must be/],
  [{ partSize: '1MB' }, /partSize must be 5242880 to/],
  [{ partSize: '6GB' }, /partSize must be/],
  [{ concurrency: 0 }, /concurrency must be 1 to 64, not 0/],
  [{ concurrency: 1.5 }, /not 1.5/],
] as const) {
  test(`${JSON.stringify(given)} is refused`, () => {
    const make = () => s3({ bucket: 'b', ...(given as Partial<S3StoreOptions>) })
    try {
      make()
    } catch (error) {
      assert.is((error as CarcosaError).code, 'CONFIG_INVALID')
      assert.match((error as CarcosaError).message, why)
      return
    }
    assert.unreachable()
  })
}

test('everything wrong is said at once', () => {
  assert.throws(() => s3({ bucket: '', concurrency: 0 }), /bucket must.*concurrency must/)
})

test('nothing is collected where the prefix is empty, since all of the bucket would be ours', () => {
  assert.is(s3({ bucket: 'b', prefix: '' }).exclusive, false)
  assert.is(s3({ bucket: 'b' }).exclusive, true)
})

test('every preset says what kind it is', () => {
  const options = { bucket: 'b', region: 'x', endpoint: 'http://127.0.0.1:1' }
  for (const [name, preset] of Object.entries(presets)) {
    assert.is(preset(options).kind, name)
  }
  assert.is(r2({ bucket: 'b', accountId: 'a' }).kind, 'r2')
})

test.run()
