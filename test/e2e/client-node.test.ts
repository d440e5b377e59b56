import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { CarcosaClientError, UploadFailedError } from '../../client/index.ts'
import { fromPath } from '../../client/node.ts'
import {
  clientOf,
  clientSuite,
  content,
  creations,
  fileOf,
  methods,
} from '../support/client.ts'

const test = clientSuite('the client in Node, against an independent tus server')

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
  assert.is(creations(server), 1)
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
