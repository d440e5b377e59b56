import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fingerprint } from '../../../client/fingerprint.ts'
import { createKeys } from '../../../client/keys.ts'
import { describeFile } from '../../../client/source.ts'

const scope = { endpoint: 'https://a.b/uploads/demo', input: undefined, owner: undefined }
const options = { type: 'text/plain', lastModified: 5 }
const file = new File(['abc'], 'a.txt', options)
const of = (other: File, change = {}) =>
  fingerprint(other, describeFile(other), { ...scope, ...change })
const test = suite('the fingerprint of an upload')

test('is the same for the same file chosen again', () => {
  assert.is(of(new File(['abc'], 'a.txt', options)), of(file))
})

const inFolder = Object.assign(new File(['abc'], 'a.txt', options), {
  webkitRelativePath: 'folder/a.txt',
})
const others: [what: string, key: string][] = [
  ['name', of(new File(['abc'], 'b.txt', options))],
  ['size', of(new File(['abcd'], 'a.txt', options))],
  ['type', of(new File(['abc'], 'a.txt', { ...options, type: 'text/html' }))],
  ['time of change', of(new File(['abc'], 'a.txt', { ...options, lastModified: 6 }))],
  ['folder', of(inFolder)],
  ['route or server', of(file, { endpoint: 'https://a.b/uploads/other' })],
  ['input', of(file, { input: { album: 1 } })],
  ['owner', of(file, { owner: 'ann' })],
]
for (const [what, key] of others) {
  test(`differs with the ${what}`, () => {
    assert.is.not(key, of(file))
  })
}

test('cannot be forged by a name that looks like the rest of it', () => {
  const forged = new File(['abc'], 'a.txt",3,"text/plain', options)
  assert.is.not(of(forged), of(file))
})

test('keys of namesakes are numbered, and free again when they are released', () => {
  const keys = createKeys()
  assert.equal([keys.take('k'), keys.take('k'), keys.take('k')], ['k', 'k#2', 'k#3'])
  keys.release('k#2')
  assert.is(keys.take('k'), 'k#2')
  keys.release('k')
  assert.is(keys.take('k'), 'k')
})

test.run()
