import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isLimited, parseQuota, parseQuotaText } from '../../../src/shared/quota.ts'

const none = { bytes: null, files: null }
const GB = 1024 ** 3

const test = suite('the option quota')

test('what is not given is not limited', () => {
  assert.equal(parseQuota({ bytes: '10GB' }), { ...none, bytes: 10 * GB, perOwner: none })
  assert.equal(parseQuota({ perOwner: { files: 3 } }), {
    ...{ ...none, perOwner: { bytes: null, files: 3 } },
  })
})

test('nothing is allowed by zero, and all by false', () => {
  assert.ok(isLimited(parseQuota({ bytes: 0 })))
  assert.not.ok(isLimited(parseQuota(false)))
  assert.not.ok(isLimited(parseQuota(null)))
})

test('what was made of it means the same', () => {
  for (const given of [false, { bytes: 5, perOwner: { bytes: '1MB' } }]) {
    const limits = parseQuota(given)
    assert.equal(parseQuota(limits), limits)
  }
})

test('as text', () => {
  const all = 'bytes=10GB, files=1000, perOwner.bytes=1GB,perOwner.files=9'
  assert.equal(parseQuotaText(all), {
    ...{ bytes: 10 * GB, files: 1000, perOwner: { bytes: GB, files: 9 } },
  })
  assert.equal(parseQuotaText('off'), parseQuota(false))
})

for (const text of [
  ...['', 'on', 'bytes', 'bytes=', 'bytes=1GB,bytes=2GB', 'files=many', 'files=-1'],
  ...['files=1.5', 'owner.bytes=1', 'perOwner=1GB', 'bytes=1GB;files=3', 'constructor=1'],
]) {
  test(`${JSON.stringify(text)} is none`, () => {
    assert.throws(() => parseQuotaText(text), TypeError)
  })
}

test.run()
