import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { UploadFailedError } from '../../client/index.ts'
import { fileStorage } from '../../client/node.ts'
import {
  assertHolds,
  assertPastServer,
  content,
  type DirectContext,
  directClient,
  directSuite,
  fileOf,
  interruptedDirectly,
  partSize,
  partsSent,
  small,
  watch,
} from '../support/client-direct.ts'

const test = directSuite('the client that sends bytes straight to the store')

for (const [what, bytes, parts] of [
  ['of one part', small, [1]],
  ['of several parts', content, [1, 2, 3, 4, 5]],
] as const) {
  test(`brings a file ${what} past the server, and serverData back`, async (context) => {
    const { files } = await directClient(context).upload('demo', [fileOf(bytes)])
    const [file] = files
    const got: number | undefined = file?.serverData.got
    assert.is(got, bytes.length)
    assert.is(file?.size, bytes.length)
    assert.equal(partsSent(context), parts)
    assertHolds(context, bytes)
    assertPastServer(context)
    const posts = context.passed.requests.filter((name) => name.startsWith('POST'))
    assert.equal(posts, ['POST prepare', 'POST finish'])
  })
}

test('tells the progress of all parts together', async (context) => {
  const upload = directClient(context).create('demo', [fileOf()])
  const sent: number[] = []
  upload.subscribe(({ type }) => {
    if (type === 'progress') sent.push(upload.current.progress.sent)
  })
  await upload.done
  assert.ok(sent.length > 5, `${sent.length} times`)
  assert.equal(
    sent,
    sent.slice().sort((a, b) => a - b),
  )
  assert.is(sent.at(-1), content.length)
})

test('sends three parts of a file at a time, and five of all files', async (context) => {
  const { front } = context
  await directClient(context).upload('demo', [fileOf()])
  assert.is(front.most, 3)
  front.reset()
  const files = ['a', 'b', 'c'].map((name) => fileOf(content, name))
  assert.is((await directClient(context).upload('demo', files)).files.length, 3)
  assert.is(front.most, 5)
})

test('is asked for by a call, and declined by one', async (context) => {
  const { passed } = context
  const never = directClient(context, { direct: false })
  await never.upload('demo', [fileOf(small)], { direct: true })
  assertPastServer(context)
  await directClient(context).upload('demo', [fileOf(small)], { direct: false })
  assert.is(passed.bytes, small.length)
})

for (const [what, fault] of [
  ['meets 503', { status: 503, code: 'SlowDown' }],
  ['meets 500', { status: 500 }],
  ['comes too slowly', { status: 400, code: 'RequestTimeout' }],
  ['is cut off', { cut: true }],
  ['is never answered', { stall: true }],
] as const) {
  test(`sends a part again that ${what}, and no other`, async (context) => {
    context.front.fault = ({ partNumber }, nth) =>
      partNumber === 2 && nth === 0 ? fault : undefined
    // What was wholly sent may wait ten times as long for its answer.
    const stallTimeout = 'stall' in fault ? 400 : 60_000
    const client = directClient(context, { retry: { stallTimeout } })
    const upload = client.create('demo', [fileOf()])
    const seen = watch(upload)
    await upload.done
    assert.equal(partsSent(context), [1, 2, 2, 3, 4, 5])
    assert.is(seen.count('retry'), 1)
    assertHolds(context)
    assertPastServer(context)
  })
}

test('fails when a part fails too often, and resumes with what is missing', async (context) => {
  const { front } = context
  front.fault = ({ partNumber }) => (partNumber === 4 ? { status: 503 } : undefined)
  const client = directClient(context, { retry: { attempts: 2 } })
  const upload = client.create('demo', [fileOf()])
  const error = await upload.done.catch((reason) => reason)
  assert.instance(error, UploadFailedError)
  assert.is(error.status, 503)
  assert.not.match(error.message, 'X-Amz')
  const arrived = front.seen.filter(({ status }) => status === 200).length
  front.reset()
  upload.resume()
  await upload.done
  assert.is(front.seen.length, 5 - arrived)
  assertHolds(context)
  assertPastServer(context)
})

test('sends nothing while it is paused, and then only what is missing', async (context) => {
  const { upload } = await interruptedDirectly(context)
  const seen = watch(upload)
  upload.pause()
  assert.is(upload.current.state, 'paused')
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.is(context.front.seen.length, 0)
  upload.resume()
  await upload.done
  assert.equal(partsSent(context), [3, 4, 5])
  assert.equal(seen.resumes(), [2 * partSize])
  assertHolds(context)
  assertPastServer(context)
})

test('goes on after a reload with what is missing', async (context) => {
  const state = join(context.directory, 'state')
  const { upload } = await interruptedDirectly(context, { storage: fileStorage(state) })
  upload.pause()
  context.passed.requests.length = 0
  const client = directClient(context, { storage: fileStorage(state) })
  const later = client.create('demo', [fileOf()])
  const seen = watch(later)
  const { files } = await later.done
  assert.equal(partsSent(context), [3, 4, 5])
  assert.equal(seen.resumes(), [2 * partSize])
  assert.is(files[0]?.serverData.got, content.length)
  assert.not.ok(context.passed.requests.includes('POST prepare'))
  assertHolds(context)
  assertPastServer(context)
  assert.equal(await client.unfinished(), [], 'forgotten when done')
})

test('is removed from the store when it is cancelled', async (context) => {
  const { client, upload } = await interruptedDirectly(context)
  assert.is(context.fake.uploads.size, 1)
  await upload.cancel()
  assert.is(context.fake.uploads.size, 0)
  assert.equal(await client.unfinished(), [])
})

test('is finished although the answers to that were lost', async (context) => {
  context.passed.loseFinishes = 2
  const { files } = await directClient(context).upload('demo', [fileOf()])
  assert.is(files[0]?.serverData.got, content.length)
  const finishes = context.passed.requests.filter((name) => name === 'POST finish')
  assert.is(finishes.length, 3)
  assertHolds(context)
  assertPastServer(context)
})

test('sends all parts again when the server misses one', async (context) => {
  await confused(context, 1).done
  assert.equal(partsSent(context), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
  assertHolds(context)
  assertPastServer(context)
})

test('fails when the server misses one again, and can be resumed', async (context) => {
  const upload = confused(context, 2)
  const error = await upload.done.catch((reason) => reason)
  assert.instance(error, UploadFailedError)
  assert.is(error.code, 'UPLOAD_INCOMPLETE')
  assert.is(context.front.seen.length, 10)
  upload.resume()
  await upload.done
  assert.is(context.front.seen.length, 15)
  assertHolds(context)
})

test('is refused for what it turns out to be, and not sent again', async (context) => {
  const { front, fake } = context
  const picture = new File([new Uint8Array(small)], 'a.png', { type: 'image/png' })
  const upload = directClient(context).create('image', [picture])
  const seen = watch(upload)
  for (const again of [false, true]) {
    if (again) upload.resume()
    const error = await upload.done.catch((reason) => reason)
    assert.instance(error, UploadFailedError)
    assert.ok(['TYPE_NOT_ALLOWED', 'UPLOAD_REJECTED'].includes(error.code), error.code)
    assert.is(seen.count('restart'), 0)
  }
  assert.is(front.seen.length, 1)
  assert.is(fake.objects.size, 0)
})

test('takes a source that is read piece by piece', async (context) => {
  const source = {
    name: 'a.bin',
    size: content.length,
    async *stream(start: number, end: number) {
      for (let at = start; at < end; at += 100_000) {
        yield content.subarray(at, Math.min(end, at + 100_000))
      }
    },
  }
  await directClient(context).upload('demo', [source])
  assertHolds(context)
  assertPastServer(context)
})

test('fails with FILE_UNREADABLE when the file was changed', async (context) => {
  const source = {
    name: 'a.bin',
    size: content.length,
    async *stream(start: number) {
      if (start > 0) throw new Error('changed')
      yield content.subarray(0, partSize)
    },
  }
  const failing = directClient(context).upload('demo', [source])
  const error = await failing.catch((reason) => reason)
  assert.is(error.code, 'FILE_UNREADABLE')
})

/** An upload that names the receipts in a wrong order the first so many times. */
function confused(context: DirectContext, times: number) {
  let left = times
  return directClient(context, {
    fetch: async (input, init) => {
      if (!String(input).endsWith('/finish') || left-- <= 0) return fetch(input, init)
      const { receipts } = JSON.parse(String(init?.body))
      const body = JSON.stringify({ receipts: receipts.toReversed() })
      return fetch(input, { ...init, body })
    },
  }).create('demo', [fileOf()])
}

test.run()
