import assert from 'node:assert/strict'
import { PassThrough, type Readable } from 'node:stream'
import { repeatable, requireContent } from './bytes.ts'
import { type Define, key, type Sizes } from './subject.ts'

type Ending = [how: string, end: (stream: Readable, abort: AbortController) => void]

const endings: Ending[] = [
  ['is destroyed', (stream) => stream.destroy()],
  ['fails', (stream) => stream.destroy(new Error('reset'))],
  ['says aborted', (stream) => void stream.emit('aborted')],
  ['must end', (_stream, abort) => abort.abort()],
]

/** Sources that end otherwise than expected. */
export function breakingOff(test: Define, sizes: Sizes): void {
  for (const ending of endings) broken(test, ending, sizes)

  test('a source that was over before it began yields nothing', async ({ upload }) => {
    const stream = new PassThrough()
    stream.destroy()
    assert.equal((await upload(5).write(stream)).offset, 0)
    const aborted = AbortSignal.abort()
    assert.equal((await upload(5).write('hello', { signal: aborted })).offset, 0)
  })

  for (const pieces of [['hello!'], ['hel', 'lo!'], ['hello', '!']]) {
    test(`a source beyond its limit (${pieces.join(' ')}) never fills the object`, async (subject) => {
      const object = subject.upload(5)
      const source = pieces.map((piece) => Buffer.from(piece))
      const { excess, offset } = await object.write(source)
      assert.equal(excess, 1, 'onExcess is called once')
      assert.ok(offset < 5, `${offset} bytes were kept`)
      await object.write('hello'.slice(offset))
      await object.complete()
      await requireContent(subject.store, key, 'hello')
    })
  }

  test('a source of exactly its limit is kept whole', async ({ upload }) => {
    const source = [Buffer.from('hel'), Buffer.from('lo')]
    const { excess, offset } = await upload(null).write(source, { limit: 5 })
    assert.deepEqual({ excess, offset }, { excess: 0, offset: 5 })
  })
}

function broken(test: Define, [how, end]: Ending, { large }: Sizes): void {
  test(`of a source that ${how} everything that arrived is kept`, async (subject) => {
    const object = subject.upload(6)
    const stream = new PassThrough()
    const abort = new AbortController()
    const arrived = Promise.withResolvers<void>()
    const { signal } = abort
    const writing = object.write(stream, { signal, onChunk: arrived.resolve })
    stream.write('hello')
    await arrived.promise
    end(stream, abort)
    assert.equal((await writing).offset, 5)
    await object.write('!')
    await object.complete()
    await requireContent(subject.store, key, 'hello!')
  })

  test(`of megabytes that ${how.replace('is', 'are').replace('fails', 'fail').replace('says', 'say')} half way the rest is sent, and no other byte`, async (subject) => {
    const bytes = repeatable(large)
    const object = subject.upload(large)
    const stream = new PassThrough()
    const abort = new AbortController()
    const writing = object.write(stream, { signal: abort.signal })
    const step = Math.ceil(large / 40)
    for (let at = 0; at < large * 0.6; at += step) {
      if (!stream.write(bytes.subarray(at, at + step))) await drained(stream)
    }
    end(stream, abort)
    const { offset, shown } = await writing
    assert.ok(offset > 0, 'something was kept')
    assert.ok(shown.equals(bytes.subarray(0, offset)))
    await object.write(bytes.subarray(offset))
    await object.complete()
    await requireContent(subject.store, key, bytes)
  })
}

function drained(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => stream.once('drain', resolve))
}
