import * as assert from 'uvu/assert'
import { memoryStorage, UploadFailedError } from '../../client/index.ts'
import {
  clientOf,
  clientSuite,
  content,
  creations,
  fileOf,
  interrupted,
  methods,
} from '../support/client.ts'
import type { Fault } from '../support/reference-server.ts'

const test = clientSuite('the client when things fail, against an independent tus server')

// The statuses on which tus-js-client by itself forgets the upload and sends it all again.
for (const status of [401, 429, 500, 502, 503, 409, 423, 404]) {
  test(`HEAD ${status}, then well again: goes on from the offset`, async ({ server }) => {
    let heads = 0
    server.fault = ({ method }, nth): Fault | undefined => {
      if (method === 'PATCH' && nth === 1) return { cutAfter: 0 }
      if (method === 'HEAD' && heads++ < 2) return { status }
      return undefined
    }
    const headers = () => ({ authorization: 'Bearer fresh' })
    const client = clientOf(server, { headers, chunkSize: 1024 * 1024 })
    const resumed: number[] = []
    const upload = client.create('demo', [fileOf()])
    upload.subscribe((event) => {
      if (event.type === 'resume') resumed.push(event.offset)
      assert.is.not(event.type, 'restart')
    })
    const { files } = await upload.done
    assert.ok((await server.bytes(files[0]?.id ?? '')).equals(content))
    assert.is(creations(server), 1)
    assert.is(heads, 3)
    assert.equal(resumed, [1024 * 1024])
  })
}

const faults: [title: string, method: string, fault: Fault][] = [
  ['the connection is cut before anything was received', 'PATCH', { cutAfter: 0 }],
  ['the connection is cut in the middle of the file', 'PATCH', { cutAfter: 2_000_000 }],
  ['the answer to the last byte is lost', 'PATCH', { loseAnswer: true }],
  ['the answer breaks off in the middle', 'PATCH', { cutAnswer: true }],
  ['nothing moves', 'PATCH', { stall: true }],
  ['the server is full for a moment', 'PATCH', { status: 507 }],
  ['HEAD is never answered', 'HEAD', { stall: true }],
  ['the answer to the creation is lost', 'POST', { loseAnswer: true }],
  ['the creation is not answered', 'POST', { stall: true }],
  ['the creation meets 429', 'POST', { status: 429, headers: { 'retry-after': '0' } }],
  ['the question for the outcome is lost', 'GET', { loseAnswer: true }],
  ['the question for the outcome meets 503', 'GET', { status: 503 }],
]
for (const [title, method, fault] of faults) {
  test(`${title}: the file arrives whole and is created once`, async ({ server }) => {
    const hit = new Set<string>()
    server.fault = (seen): Fault | undefined => {
      if (seen.path.endsWith('/routes')) return undefined
      // A HEAD needs a reason.
      if (method === 'HEAD' && seen.method === 'PATCH' && !hit.has('PATCH')) {
        hit.add('PATCH')
        return { cutAfter: 1_000_000 }
      }
      if (seen.method !== method || hit.has(method)) return undefined
      if (method === 'POST' && seen.path.endsWith('/prepare')) return undefined
      hit.add(method)
      return fault
    }
    // Only what never moves may need the watchdog to be noticed.
    const stallTimeout = 'stall' in fault ? 300 : 600_000
    const client = clientOf(server, { retry: { stallTimeout } })
    const { files } = await within(20_000, client.upload('demo', [fileOf()]))
    assert.ok(hit.has(method), 'the fault happened')
    assert.ok((await server.bytes(files[0]?.id ?? '')).equals(content))
  })
}

test('a small file whose creation got no answer is not sent twice', async ({
  server,
}) => {
  server.fault = ({ method, path }, nth) =>
    method === 'POST' && path.endsWith('/demo') && nth === 1
      ? { loseAnswer: true }
      : undefined
  const { files } = await clientOf(server).upload('demo', [fileOf(Buffer.from('hello'))])
  assert.is((await server.bytes(files[0]?.id ?? '')).toString(), 'hello')
  const posts = server.seen.filter(({ path }) => path.endsWith('/uploads/demo'))
  assert.is(posts.length, 2)
  assert.is(posts[0]?.headers['content-length'], '5')
  assert.is.not(posts[1]?.headers['content-length'], '5')
  assert.is(posts[0]?.headers['upload-ticket'], posts[1]?.headers['upload-ticket'])
})

test('a server that is killed and restarted is waited for', async ({ server }) => {
  const upload = clientOf(server, {
    chunkSize: 512 * 1024,
    retry: { attempts: 50 },
  }).create('demo', [fileOf()])
  let kills = 0
  upload.subscribe((event) => {
    if (event.type !== 'progress' || kills === 2) return
    if (event.file.current.progress.sent < kills * 1_500_000 + 600_000) return
    kills++
    void server.kill().then(() => setTimeout(() => server.restart(), 60))
  })
  const { files } = await upload.done
  assert.is(kills, 2)
  assert.ok((await server.bytes(files[0]?.id ?? '')).equals(content))
})

test('it gives up after so many failures without progress, and resume() goes on', async ({
  server,
}) => {
  server.fault = ({ method }) => (method === 'PATCH' ? { status: 503 } : undefined)
  const upload = clientOf(server, { retry: { attempts: 3 } }).create('demo', [fileOf()])
  const error = await upload.done.catch((reason) => reason)
  assert.instance(error, UploadFailedError)
  assert.is(error.status, 503)
  assert.is(methods(server).filter((method) => method === 'PATCH').length, 4)
  assert.is(upload.current.state, 'failed')

  server.fault = () => undefined
  upload.resume()
  assert.is(upload.current.state, 'uploading')
  const { files } = await upload.done
  assert.ok((await server.bytes(files[0]?.id ?? '')).equals(content))
  assert.is(creations(server), 1)
})

test('progress starts the count of failures anew', async ({ server }) => {
  server.fault = ({ method }, nth) =>
    method === 'PATCH' && nth % 2 === 1 ? { cutAfter: 0 } : undefined
  const options = { chunkSize: 512 * 1024, retry: { attempts: 1 } }
  const { files } = await clientOf(server, options).upload('demo', [fileOf()])
  assert.is(methods(server).filter((method) => method === 'HEAD').length, 6)
  assert.ok((await server.bytes(files[0]?.id ?? '')).equals(content))
})

test('a refused credential fails at once where it cannot change, and is not forgotten', async ({
  server,
}) => {
  const storage = memoryStorage()
  const { client, upload } = await interrupted(server, { storage })
  upload.pause()
  const body = { code: 'UNAUTHENTICATED', detail: 'Who?' }
  server.fault = ({ method }) => (method === 'HEAD' ? { status: 401, body } : undefined)
  upload.resume()
  const error = await upload.done.catch((reason) => reason)
  assert.is(error.status, 401)
  assert.is((await client.unfinished()).length, 1)
})

test('Retry-After is respected', async ({ server }) => {
  server.fault = ({ method }, nth) =>
    method === 'PATCH' && nth === 0
      ? { status: 429, headers: { 'retry-after': '1' } }
      : undefined
  const delays: number[] = []
  const upload = clientOf(server).create('demo', [fileOf()])
  upload.subscribe((event) => {
    if (event.type === 'retry') delays.push(event.retry.delay)
  })
  const begun = Date.now()
  await upload.done
  assert.equal(delays, [1000])
  assert.ok(Date.now() - begun >= 1000)
})

test('a ticket that is too old is replaced', async ({ server }) => {
  const body = { code: 'TICKET_INVALID', detail: 'Too old.' }
  server.fault = ({ path }) =>
    path.endsWith('/uploads/demo') && !server.seen.some(({ status }) => status === 403)
      ? { status: 403, body }
      : undefined
  const { files } = await clientOf(server).upload('demo', [fileOf()])
  assert.is(files.length, 1)
  assert.is(server.seen.filter(({ path }) => path.endsWith('/prepare')).length, 2)
})

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), milliseconds)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

test.run()
