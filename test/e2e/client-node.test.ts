import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CarcosaClientError,
  type ClientOptions,
  createClient,
  memoryStorage,
  UploadAbortedError,
  type UploadEvent,
  UploadFailedError,
} from '../../client/index.ts'
import { fileStorage, fromPath } from '../../client/node.ts'
import {
  type Fault,
  type ReferenceServer,
  startReferenceServer,
} from '../support/reference-server.ts'

interface Context {
  directory: string
  server: ReferenceServer
}

/** Bytes that travel in more than one piece. */
const content = randomBytes(3 * 1024 * 1024 + 17)
const test = suite<Context>('the client in Node, against an independent tus server')

test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'carcosa-client-'))
  context.server = await startReferenceServer(join(context.directory, 'server'))
})
test.after.each(async ({ server, directory }) => {
  await server.kill()
  await rm(directory, { recursive: true, force: true })
})

function clientOf(server: ReferenceServer, options: Partial<ClientOptions> = {}) {
  const retry = { attempts: 5, minDelay: 5, maxDelay: 20, ...options.retry }
  return createClient({ url: server.url, ...options, retry })
}

function fileOf(bytes: Buffer<ArrayBuffer> = content, name = 'a.bin') {
  return new File([bytes], name, { type: 'application/octet-stream', lastModified: 1 })
}

function methods(server: ReferenceServer) {
  return server.seen.map(({ method }) => method)
}

/** Starts an upload, and resolves once some of it, but not all, is on the server. */
async function interrupted(server: ReferenceServer, options: Partial<ClientOptions>) {
  const client = clientOf(server, { chunkSize: 1024 * 1024, ...options })
  const upload = client.create('demo', [fileOf()])
  await new Promise<void>((resolve) => {
    server.fault = ({ method }) => {
      const patches = methods(server).filter((other) => other === 'PATCH').length
      if (method === 'PATCH' && patches === 2) {
        setTimeout(resolve, 50)
        return { stall: true }
      }
      return undefined
    }
  })
  server.fault = () => undefined
  return { client, upload }
}

test('a file arrives whole, and its result is told', async ({ server }) => {
  server.outcome = () => ({ state: 'ready', serverData: { album: 7 }, sha256: 'ab' })
  const { files } = await clientOf(server).upload('demo', [fileOf()])
  const [file] = files
  assert.is(files.length, 1)
  assert.equal(file?.serverData, { album: 7 })
  assert.is(file?.size, content.length)
  assert.is(file?.url, `${new URL(server.url).origin}/media/files/${file?.id}`)
  assert.ok((await server.bytes(file?.id ?? '')).equals(content))
  assert.equal(
    methods(server).filter((m) => m !== 'GET'),
    ['POST', 'POST', 'PATCH'],
  )
})

test('a small file travels in the request that creates it', async ({ server }) => {
  const { files } = await clientOf(server).upload('demo', [fileOf(Buffer.from('hello'))])
  assert.is((await server.bytes(files[0]?.id ?? '')).toString(), 'hello')
  assert.not.ok(methods(server).includes('PATCH'))
})

test('an empty file is a file', async ({ server }) => {
  const { files } = await clientOf(server).upload('demo', [fileOf(Buffer.alloc(0))])
  assert.is(files[0]?.size, 0)
})

test('a Blob, a File from disk and a path are all uploaded', async ({
  server,
  directory,
}) => {
  const path = join(directory, 'ünï côde.bin')
  await writeFile(path, content)
  const sources = [new Blob([content]), await fromPath(path), fileOf()]
  const { files } = await clientOf(server).upload('demo', sources)
  assert.equal(
    files.map((file) => file.name),
    ['blob', 'ünï côde.bin', 'a.bin'],
  )
  for (const { id } of files) assert.ok((await server.bytes(id)).equals(content))
})

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
    const creations = server.seen.filter(
      ({ method, path }) => method === 'POST' && !path.endsWith('prepare'),
    )
    assert.is(creations.length, 1)
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
    const client = clientOf(server, { retry: { stallTimeout: 300 } })
    const { files } = await client.upload('demo', [fileOf()])
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
  assert.is(server.seen.filter(({ path }) => path.endsWith('/uploads/demo')).length, 1)
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

test('pause keeps what is there, resume goes on from it', async ({ server }) => {
  const { upload } = await interrupted(server, {})
  upload.pause()
  assert.is(upload.current.state, 'paused')
  const before = server.seen.length
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.is(server.seen.length, before, 'nothing is sent while paused')
  const offsets: number[] = []
  upload.subscribe((event) => {
    if (event.type === 'resume') offsets.push(event.offset)
  })
  upload.resume()
  const { files } = await upload.done
  assert.equal(offsets, [1024 * 1024])
  assert.ok((await server.bytes(files[0]?.id ?? '')).equals(content))
})

test('one file is paused while the other goes on', async ({ server }) => {
  const upload = clientOf(server).create('demo', [fileOf(), fileOf(content, 'b.bin')])
  const [first, second] = upload.files
  first?.pause()
  await new Promise<void>((resolve) => {
    upload.subscribe(() => second?.current.state === 'uploaded' && resolve())
  })
  assert.is(first?.current.state, 'paused')
  assert.is(upload.current.state, 'paused')
  first?.resume()
  assert.is((await upload.done).files.length, 2)
})

test('cancel removes the upload from the server and from memory', async ({ server }) => {
  const { client, upload } = await interrupted(server, {})
  await upload.cancel()
  assert.is(upload.current.state, 'cancelled')
  assert.is(methods(server).at(-1), 'DELETE')
  assert.is(server.seen.at(-1)?.status, 204)
  assert.equal(await client.unfinished(), [])
  assert.instance(await upload.done.catch((reason) => reason), UploadAbortedError)
})

test('a signal stops the batch, and the same file goes on later', async ({ server }) => {
  const controller = new AbortController()
  const client = clientOf(server, { chunkSize: 1024 * 1024 })
  server.fault = ({ method }, nth) =>
    method === 'PATCH' && nth === 1 ? { stall: true } : undefined
  const running = client.upload('demo', [fileOf()], { signal: controller.signal })
  while (methods(server).filter((method) => method === 'PATCH').length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  controller.abort('enough')
  const error = await running.catch((reason) => reason)
  assert.instance(error, UploadAbortedError)
  assert.is(error.cause, 'enough')

  const { files } = await client.upload('demo', [fileOf()])
  assert.ok((await server.bytes(files[0]?.id ?? '')).equals(content))
  assert.is(server.seen.filter(({ path }) => path.endsWith('/uploads/demo')).length, 1)
})

test('a new process goes on with a file it finds in storage, without asking again', async ({
  server,
  directory,
}) => {
  const state = join(directory, 'state')
  const { upload } = await interrupted(server, { storage: fileStorage(state) })
  upload.pause()
  const ticket = server.seen.at(-1)?.headers['upload-ticket']

  server.seen.length = 0
  const storage = fileStorage(state)
  const client = clientOf(server, { storage })
  assert.equal(
    (await client.unfinished()).map(({ name, size }) => ({ name, size })),
    [{ name: 'a.bin', size: content.length }],
  )
  const { files } = await client.upload('demo', [fileOf()])
  assert.ok((await server.bytes(files[0]?.id ?? '')).equals(content))
  assert.not.ok(methods(server).includes('POST'))
  assert.is(server.seen[0]?.headers['upload-ticket'], ticket)
  assert.equal(await client.unfinished(), [], 'forgotten when done')
})

test('another input, or another file, is another upload', async ({ server }) => {
  const storage = memoryStorage()
  const { upload } = await interrupted(server, { storage })
  upload.pause()
  server.seen.length = 0
  await clientOf(server, { storage }).upload('demo', [fileOf()], { input: { album: 2 } })
  const newer = new File([content], 'a.bin', {
    type: 'application/octet-stream',
    lastModified: 2,
  })
  await clientOf(server, { storage }).upload('demo', [newer])
  assert.not.ok(methods(server).includes('HEAD'))
})

test('the same file twice in a batch is two uploads', async ({ server }) => {
  const { files } = await clientOf(server).upload('demo', [fileOf(), fileOf()])
  assert.is.not(files[0]?.id, files[1]?.id)
  for (const { id } of files) assert.ok((await server.bytes(id)).equals(content))
})

test('an upload that is gone begins anew, with a new ticket and an event', async ({
  server,
}) => {
  const storage = memoryStorage()
  const { upload } = await interrupted(server, { storage })
  upload.pause()
  const [entry] = await storage.list()
  await server.remove(entry?.url.split('/').pop() ?? '')
  const events: UploadEvent[] = []
  const again = clientOf(server, { storage }).create('demo', [fileOf()])
  again.subscribe((event) => events.push(event))
  const { files } = await again.done
  const restart = events.find((event) => event.type === 'restart')
  assert.is(restart?.type === 'restart' && restart.error.code, 'UPLOAD_NOT_FOUND')
  assert.ok((await server.bytes(files[0]?.id ?? '')).equals(content))
})

test('an upload that was rejected is not sent again', async ({ server }) => {
  const storage = memoryStorage()
  const { upload } = await interrupted(server, { storage })
  const gone = { status: 410, headers: { 'tus-resumable': '1.0.0' } }
  const body = {
    code: 'UPLOAD_GONE',
    detail: 'Rejected.',
    details: { state: 'rejected' },
  }
  server.fault = ({ method }) =>
    method === 'HEAD' ? gone : method === 'GET' ? { ...gone, body } : undefined
  upload.pause()
  server.seen.length = 0
  upload.resume()
  const error = await upload.done.catch((reason) => reason)
  assert.is(error.code, 'UPLOAD_GONE')
  assert.is(error.message, 'Rejected.')
  assert.not.ok(methods(server).includes('PATCH'))
  assert.equal(await storage.list(), [])
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

test('a refused file does not stop the others, and no byte of it is sent', async ({
  server,
}) => {
  const details = { size: content.length, maxFileSize: 10 }
  server.refuse = ({ name }) =>
    name === 'big.bin'
      ? { code: 'FILE_TOO_LARGE', status: 413, detail: 'Too large.', details }
      : null
  const upload = clientOf(server).upload('demo', [fileOf(content, 'big.bin'), fileOf()])
  const error = await upload.catch((reason) => reason)
  assert.instance(error, UploadFailedError)
  assert.is(error.code, 'FILE_TOO_LARGE')
  assert.equal(error.details, details)
  const [refused, arrived] = error.files
  assert.is(refused.status, 'failed')
  assert.instance(refused.error, CarcosaClientError)
  assert.is(arrived.status, 'uploaded')
  assert.ok((await server.bytes(arrived.file.id)).equals(content))
  assert.is(server.seen.filter(({ path }) => path.endsWith('/uploads/demo')).length, 1)
})

test('a failed callback fails the file with the code of the server', async ({
  server,
}) => {
  const failure = { code: 'CALLBACK_FAILED', message: 'The callback failed.' }
  server.outcome = () => ({ state: 'failed', failure })
  const error = await clientOf(server)
    .upload('demo', [fileOf()])
    .catch((reason) => reason)
  assert.is(error.code, 'CALLBACK_FAILED')
  assert.is(error.message, 'The callback failed.')
})

test('it waits until the callback has run', async ({ server }) => {
  let asked = 0
  server.outcome = () =>
    asked++ ? { state: 'ready', serverData: 1 } : { state: 'stored' }
  const { files } = await clientOf(server).upload('demo', [fileOf()])
  assert.is(files[0]?.serverData, 1)
  assert.ok(server.seen.some(({ method }) => method === 'GET'))
})

test('fresh headers go with every request', async ({ server }) => {
  let asked = 0
  const headers = async () => ({ authorization: `Bearer ${++asked}` })
  const client = clientOf(server, { headers, chunkSize: 1024 * 1024 })
  await client.upload('demo', [fileOf()], { headers: { 'x-batch': '1' } })
  const sent = server.seen.map((seen) => seen.headers.authorization)
  assert.is(new Set(sent).size, server.seen.length)
  const aboutFile = server.seen.filter(({ path }) => !path.endsWith('/routes'))
  assert.ok(aboutFile.every((seen) => seen.headers['x-batch'] === '1'))
})

test('a file that changes meanwhile fails with FILE_UNREADABLE', async ({
  server,
  directory,
}) => {
  const path = join(directory, 'changing.bin')
  await writeFile(path, content)
  const source = await fromPath(path)
  await utimes(path, 1, 1)
  const error = await clientOf(server)
    .upload('demo', [source])
    .catch((reason) => reason)
  assert.is(error.code, 'FILE_UNREADABLE')
})

test('never more files at a time than allowed', async ({ server }) => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const upload = clientOf(server, { parallelFiles: 2 }).create(
    'demo',
    names.map((name) => fileOf(content, name)),
  )
  let most = 0
  upload.subscribe(() => {
    const { files } = upload.current
    most = Math.max(most, files.filter((file) => file.state === 'uploading').length)
  })
  assert.is((await upload.done).files.length, 5)
  assert.is(most, 2)
})

test('progress grows and ends at 1', async ({ server }) => {
  const fractions: number[] = []
  await clientOf(server, { chunkSize: 256 * 1024 }).upload('demo', [fileOf()], {
    onProgress: ({ fraction }) => fractions.push(fraction),
  })
  assert.is(fractions.at(-1), 1)
  assert.ok(fractions.some((fraction) => fraction > 0 && fraction < 1))
  assert.equal(fractions, fractions.slice().sort())
})

test.run()
