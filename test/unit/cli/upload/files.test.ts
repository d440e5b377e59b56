import { createHash, randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hashing } from '../../../../src/cli/upload/files.ts'

const content = randomBytes(10_000)
const sha256 = createHash('sha256').update(content).digest('hex')

/** A source that hands out 1,000 bytes at a time and counts what it was asked for. */
function subject() {
  const read = { bytes: 0 }
  const file = hashing({
    name: 'a.bin',
    size: content.length,
    async *stream(start, end) {
      for (let at = start; at < end; at += 1000) {
        const chunk = content.subarray(at, Math.min(end, at + 1000))
        read.bytes += chunk.length
        yield chunk
      }
    },
  })
  /** Reads as an upload does, and stops after `limit` bytes as a broken connection does. */
  async function send(start: number, end = content.length, limit = end - start) {
    const sent: Uint8Array[] = []
    let length = 0
    for await (const chunk of file.stream(start, end)) {
      sent.push(chunk)
      length += chunk.length
      if (length >= limit) break
    }
    return Buffer.concat(sent)
  }
  return { file, read, send }
}

const test = suite('a file that is hashed while it is sent')

test('sends what it reads', async () => {
  const { send } = subject()
  assert.ok((await send(0)).equals(content))
  assert.ok((await send(2500, 7001)).equals(content.subarray(2500, 7001)))
})

test('is not read a second time after one go', async () => {
  const { file, read, send } = subject()
  await send(0)
  assert.is(await file.digest(), sha256)
  assert.is(read.bytes, content.length)
})

const runs: [title: string, pieces: [start: number, limit?: number][]][] = [
  ['nothing was sent', []],
  ['a retry repeats some of it', [[0, 4000], [2500]]],
  ['a retry begins in the middle of a chunk', [[0, 4000], [3999]]],
  ['the beginning was sent in another run', [[6000]]],
  ['it was sent in another run, and then begun anew', [[6000, 1000], [0, 3000], [3000]]],
  ['only the end is missing', [[0, 9000]]],
]
for (const [title, pieces] of runs) {
  test(`has the digest of the whole when ${title}`, async () => {
    const { file, send } = subject()
    for (const [start, limit] of pieces) await send(start, content.length, limit)
    assert.is(await file.digest(), sha256)
    assert.is(await file.digest(), sha256, 'as often as it is asked')
  })
}

test.run()
