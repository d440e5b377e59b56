import { join } from 'node:path'
import * as assert from 'uvu/assert'
import {
  memoryStorage,
  UploadAbortedError,
  type UploadEvent,
} from '../../client/index.ts'
import { fileStorage } from '../../client/node.ts'
import {
  clientOf,
  clientSuite,
  content,
  creations,
  fileOf,
  interrupted,
  methods,
} from '../support/client.ts'

const test = clientSuite('the client when uploads are paused, stopped and begun again')

test('pause keeps what is there, resume goes on from it', async ({ server }) => {
  const { upload } = await interrupted(server)
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
  const { client, upload } = await interrupted(server)
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
  assert.is(creations(server), 1)
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

test('what is done is forgotten also where the storage is slow', async ({ server }) => {
  const memory = memoryStorage()
  const storage = {
    ...memory,
    async set(...entry: Parameters<typeof memory.set>) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      await memory.set(...entry)
    },
  }
  await clientOf(server, { storage }).upload('demo', [fileOf(Buffer.from('small'))])
  await new Promise((resolve) => setTimeout(resolve, 150))
  assert.equal(await memory.list(), [])
})

test('a storage that fails is told of, and the file arrives all the same', async ({
  server,
}) => {
  const broken = async () => {
    throw new Error('read-only')
  }
  const storage = { get: broken, set: broken, remove: broken, list: broken }
  const warnings: string[] = []
  const upload = clientOf(server, { storage }).create('demo', [fileOf()])
  upload.subscribe((event) => {
    if (event.type === 'warning') warnings.push(event.error.message)
  })
  assert.is((await upload.done).files.length, 1)
  assert.ok(warnings.length > 0)
})

test('pausing lets go of the file', async ({ server }) => {
  let open = 0
  const source = {
    name: 'a.bin',
    size: content.length,
    async *stream(start: number, end: number) {
      open++
      try {
        for (let at = start; at < end; at += 65_536) {
          yield content.subarray(at, Math.min(end, at + 65_536))
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      } finally {
        open--
      }
    },
  }
  const upload = clientOf(server).create('demo', [source])
  await new Promise<void>((resolve) => {
    upload.subscribe(() => upload.current.progress.sent > 200_000 && resolve())
  })
  assert.is(open, 1)
  upload.pause()
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.is(open, 0)
  upload.resume()
  const { files } = await upload.done
  assert.ok((await server.bytes(files[0]?.id ?? '')).equals(content))
  assert.is(open, 0)
})

test('a server that loses every upload is not sent the file for ever', async ({
  server,
}) => {
  const gone = { status: 404, headers: { 'tus-resumable': '1.0.0' } }
  server.fault = ({ method }) =>
    method === 'PATCH' ? { cutAfter: 0 } : method === 'HEAD' ? gone : undefined
  const error = await clientOf(server)
    .upload('demo', [fileOf()])
    .catch((reason) => reason)
  assert.is(error.code, 'UPLOAD_NOT_FOUND')
  assert.is(creations(server), 3)
})

test.run()
