import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import * as tus from 'tus-js-client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunningServer, startServer } from '../support/command.ts'

interface Context {
  server: RunningServer
}

const MiB = 1024 * 1024
const content = randomBytes(4 * MiB + 13)
const test = suite<Context>('tus-js-client 4 in Node, against `carcosa start`')

test.before(async (context) => {
  context.server = await startServer()
})

test.after(async ({ server }) => {
  await server.stop()
})

test('uploads a buffer', async ({ server }) => {
  const { url } = await finished(server, content)
  await assertServed(server, url)
})

test('uploads in chunks, each where the one before ended', async ({ server }) => {
  const { url, requests } = await finished(server, content, { chunkSize: MiB })
  await assertServed(server, url)
  assert.equal(requests, ['POST', 'PATCH', 'PATCH', 'PATCH', 'PATCH', 'PATCH'])
})

test('sends content along with the creation', async ({ server }) => {
  const { url, requests } = await finished(server, content, {
    uploadDataDuringCreation: true,
  })
  await assertServed(server, url)
  assert.equal(requests, ['POST'])
})

test('sends the first chunk along with the creation, and the others after it', async ({
  server,
}) => {
  const { url, requests } = await finished(server, content, {
    uploadDataDuringCreation: true,
    chunkSize: 2 * MiB,
  })
  await assertServed(server, url)
  assert.equal(requests, ['POST', 'PATCH', 'PATCH'])
})

test('uploads a stream whose length is known only at its end', async ({ server }) => {
  const pieces = [content.subarray(0, MiB), content.subarray(MiB)]
  const { url } = await finished(server, Readable.from(pieces), {
    uploadLengthDeferred: true,
    chunkSize: MiB,
  })
  await assertServed(server, url)
})

test('uploads an empty file', async ({ server }) => {
  const { url } = await finished(server, Buffer.alloc(0))
  await assertServed(server, url, Buffer.alloc(0))
})

test('pauses and resumes where it stopped', async ({ server }) => {
  const paused = begin(server, content, { chunkSize: MiB })
  const offset = await paused.acknowledged
  await paused.upload.abort()
  const { url, requests } = await finished(server, content, {
    uploadUrl: paused.upload.url,
    chunkSize: MiB,
  })
  await assertServed(server, url)
  assert.is(requests[0], 'HEAD')
  // Fewer if the server had kept more than it was able to say.
  const most = Math.ceil((content.length - offset) / MiB)
  assert.ok(requests.length - 1 <= most, `${requests} after ${offset}`)
  assert.not.ok(requests.includes('POST'))
})

test('terminates', async ({ server }) => {
  const { upload, acknowledged } = begin(server, content, { chunkSize: MiB })
  await acknowledged
  await upload.abort(true)
  const headers = { 'tus-resumable': '1.0.0' }
  const { status } = await fetch(upload.url ?? '', { method: 'HEAD', headers })
  assert.is(status, 410)
})

test('goes on by its own retries when the server was killed and is back', async (context) => {
  const options = { chunkSize: MiB, retryDelays: Array(60).fill(250) }
  const { upload, acknowledged, end, requests } = begin(context.server, content, options)
  await acknowledged
  context.server.child.kill('SIGKILL')
  await once(context.server.child, 'close')
  const { port } = new URL(context.server.url)
  context.server = await startServer(['--port', port], { cwd: context.server.cwd })
  await end
  await assertServed(context.server, upload.url)
  assert.is(requests.filter((method) => method === 'POST').length, 1)
})

test('is told in words that parts cannot be uploaded in parallel', async ({ server }) => {
  const error = await finished(server, content, { parallelUploads: 2 }).catch(
    (thrown: unknown) => thrown,
  )
  assert.instance(error, tus.DetailedError)
  const response = (error as tus.DetailedError).originalResponse
  const problem = JSON.parse(response?.getBody() ?? '{}')
  assert.is(problem.code, 'EXTENSION_UNSUPPORTED')
  assert.match(problem.detail, /concatenation/)
})

test.run()

/** Starts an upload; `acknowledged` is the offset after the first request with content. */
function begin(
  { url }: RunningServer,
  file: Buffer | Readable,
  options: tus.UploadOptions = {},
) {
  const requests: string[] = []
  const acknowledged = Promise.withResolvers<number>()
  const end = Promise.withResolvers<void>()
  const upload = new tus.Upload(file, {
    endpoint: `${url}/uploads/demo`,
    metadata: { filename: 'a.bin', filetype: 'application/octet-stream' },
    retryDelays: null,
    ...options,
    onBeforeRequest: (request) => void requests.push(request.getMethod()),
    onChunkComplete: (_size, accepted) => acknowledged.resolve(accepted),
    onSuccess: () => end.resolve(),
    onError: (error) => end.reject(error),
  })
  upload.start()
  return { upload, requests, acknowledged: acknowledged.promise, end: end.promise }
}

async function finished(
  server: RunningServer,
  file: Buffer | Readable,
  options?: tus.UploadOptions,
): Promise<{ url: string | null; requests: string[] }> {
  const { upload, requests, end } = begin(server, file, options)
  await end
  return { url: upload.url, requests }
}

async function assertServed(
  server: RunningServer,
  upload: string | null,
  bytes = content,
) {
  const id = new URL(upload ?? '').pathname.split('/').at(-1)
  const response = await fetch(`${server.url}/files/${id}`)
  assert.is(response.status, 200)
  assert.ok(bytes.equals(Buffer.from(await response.arrayBuffer())))
}
