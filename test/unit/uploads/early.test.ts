import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { UploadDeps } from '../../../src/uploads/deps.ts'
import { detectEarly } from '../../../src/uploads/early.ts'
import { headBytes } from '../../../src/uploads/tails.ts'

const test = suite('uploads/early')

/** Remembers what it was asked, and says how much it was. */
function detector() {
  const asked: Uint8Array[] = []
  const detect = async (head: Uint8Array) => {
    asked.push(head)
    return `${head.length} bytes`
  }
  return { asked, deps: { detector: { detect, close: async () => {} } } as UploadDeps }
}

function bodyOf(bytes: Buffer): PassThrough {
  const body = new PassThrough({ highWaterMark: 64 * 1024 })
  body.end(bytes)
  return body
}

const long = Buffer.alloc(headBytes + 1000, 'x')

test('the type of a small file is asked for with all of it', async () => {
  const { deps } = detector()
  const early = detectEarly(deps, bodyOf(Buffer.from('hello')), 5)
  assert.is(early?.length, 5)
  assert.is(await early?.type, '5 bytes')
})

test('of a larger file with its head, in memory of its own', () => {
  const { asked, deps } = detector()
  const early = detectEarly(deps, bodyOf(long), long.length)
  assert.is(early?.length, headBytes)
  assert.is(asked[0]?.buffer.byteLength, headBytes)
})

test('a file of unknown length too, once its head is there', () => {
  assert.is(detectEarly(detector().deps, bodyOf(long), null)?.length, headBytes)
})

test('whoever reads the body gets every byte', async () => {
  const body = bodyOf(long)
  detectEarly(detector().deps, body, long.length)
  assert.equal(await buffer(body), long)
})

const unknown: [title: string, body: PassThrough, size: number | null][] = [
  ['nothing has come in', new PassThrough(), 5],
  ['less than the head has come in', bodyOf(Buffer.from('hel')), 5],
  [
    'less than the head has come in and the length is not known',
    bodyOf(Buffer.from('hel')),
    null,
  ],
  ['the file is empty', bodyOf(Buffer.alloc(0)), 0],
]
for (const [title, body, size] of unknown) {
  test(`nothing is asked where ${title}`, () => {
    const { asked, deps } = detector()
    assert.is(detectEarly(deps, body, size), null)
    assert.equal(asked, [])
  })
}

test.run()
