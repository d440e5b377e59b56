/**
 * What the GCS server of the tests can do, shown with nothing but the SDK and requests by
 * hand. Stores may rely on it; what it does differently from Google's is not here.
 */
import type { Bucket } from '@google-cloud/storage'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type GcsServer, gcsClient, gcsServer } from '../support/gcs-server.ts'
import { requires } from '../support/requirements.ts'

/** Every chunk of a session but its last is a multiple of this. */
const unit = 256 * 1024

interface Context {
  server: GcsServer
  bucket: Bucket
}

const gcs = requires('fake-gcs-server', suite<Context>('GCS'))

gcs.before(async (context) => {
  context.server = await gcsServer()
  context.bucket = gcsClient(context.server).bucket(context.server.bucket)
})
// Not there if it did not start, and that error is the one to see.
gcs.after(({ server }) => server?.stop())

gcs('keeps what is put, with its content type and metadata', async (context) => {
  const file = at(context, 'put')
  await file.save('hello world', {
    resumable: false,
    contentType: 'text/x-greeting',
    metadata: {
      contentDisposition: 'attachment; filename="hello.txt"',
      metadata: { colour: 'blue' },
    },
  })
  const [metadata] = await file.getMetadata()
  assert.is(metadata.size, '11')
  assert.is(metadata.contentType, 'text/x-greeting')
  assert.is(metadata.contentDisposition, 'attachment; filename="hello.txt"')
  assert.equal(metadata.metadata, { colour: 'blue' })
  assert.is(metadata.crc32c, 'yZRlqg==')
  assert.is(String((await file.download())[0]), 'hello world')
})

gcs('gives a range, and refuses one behind the end', async (context) => {
  await at(context, 'range').save('hello world', { resumable: false })
  const read = async (range: string) =>
    fetch(`${object(context, 'range')}?alt=media`, {
      headers: { ...(await context.server.headers()), range },
    })
  const world = await read('bytes=6-')
  assert.is(world.status, 206)
  assert.is(world.headers.get('content-range'), 'bytes 6-10/11')
  assert.is(await world.text(), 'world')
  assert.is((await read('bytes=11-')).status, 416)
})

gcs('knows nothing of an object that is deleted', async (context) => {
  const file = at(context, 'deleted')
  await file.save('x', { resumable: false })
  await file.delete()
  assert.equal(await file.exists(), [false])
  assert.is(await failure(file.download()), 404)
  assert.is(await failure(file.delete()), 404)
})

gcs('puts only where nothing is, if asked to', async (context) => {
  const options = { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }
  await at(context, 'once').save('x', options)
  assert.is(await failure(at(context, 'once').save('x', options)), 412)
})

gcs('refuses bytes that are not those of the CRC32C', async (context) => {
  const metadata = { crc32c: 'AAAAAA==' }
  const saved = at(context, 'damaged').save('x', { resumable: false, metadata })
  assert.is(await failure(saved), 400)
  assert.equal(await at(context, 'damaged').exists(), [false])
})

gcs('lists by prefix, page by page', async (context) => {
  const { bucket, server } = context
  const names = ['list/1', 'list/2', 'list/3', 'lister']
  for (const name of names) await at(context, name).save(name, { resumable: false })
  const prefix = `${server.prefix}list/`
  const page = { prefix, maxResults: 2, autoPaginate: false }
  const [first, next] = await bucket.getFiles(page)
  const [second, end] = await bucket.getFiles({ ...page, ...next })
  assert.not.ok(end)
  const found = [...first, ...second].map(({ name }) => name)
  assert.equal(
    found,
    names.slice(0, 3).map((name) => `${server.prefix}${name}`),
  )
})

gcs('copies an object, and puts several together', async (context) => {
  const contentType = 'text/x-part'
  for (const part of ['one', 'two']) {
    await at(context, part).save(part, { resumable: false, contentType })
  }
  await at(context, 'one').copy(at(context, 'copied'))
  const [metadata] = await at(context, 'copied').getMetadata()
  assert.is(metadata.contentType, contentType)
  const parts = [at(context, 'one'), at(context, 'two')]
  await context.bucket.combine(parts, at(context, 'combined'))
  assert.is(String((await at(context, 'combined').download())[0]), 'onetwo')
})

gcs('takes chunk after chunk in a session', async (context) => {
  const session = await begin(context, 'chunks')
  const first = await put(session, `bytes 0-${unit - 1}/*`, bytes(unit, 'a'))
  assert.is(first.status, 308)
  assert.is(first.headers.get('range'), `bytes=0-${unit - 1}`)
  const second = await put(
    session,
    `bytes ${unit}-${3 * unit - 1}/*`,
    bytes(2 * unit, 'b'),
  )
  assert.is(second.status, 308)
  assert.is(second.headers.get('range'), `bytes=0-${3 * unit - 1}`)
  const size = 3 * unit + 1
  const last = await put(session, `bytes ${3 * unit}-${size - 1}/${size}`, bytes(1, 'c'))
  assert.is(last.status, 200)

  const [metadata] = await at(context, 'chunks').getMetadata()
  assert.is(metadata.contentType, 'video/x-session')
  assert.equal(metadata.metadata, { colour: 'blue' })
  assert.is(metadata.size, String(size))
  const [content] = await at(context, 'chunks').download()
  const sent = [bytes(unit, 'a'), bytes(2 * unit, 'b'), bytes(1, 'c')]
  assert.ok(Buffer.concat(sent).equals(content))
})

gcs(
  'finishes a session when it hears the size, with all bytes there',
  async (context) => {
    const session = await begin(context, 'deferred')
    await put(session, `bytes 0-${unit - 1}/*`, bytes(unit, 'a'))
    assert.equal(await at(context, 'deferred').exists(), [false])
    assert.is((await put(session, `bytes */${unit}`)).status, 200)
    assert.is((await at(context, 'deferred').getMetadata())[0].size, String(unit))
  },
)

gcs('finishes a session without a byte', async (context) => {
  const session = await begin(context, 'empty')
  assert.is((await put(session, 'bytes */0')).status, 200)
  const [metadata] = await at(context, 'empty').getMetadata()
  assert.is(metadata.size, '0')
  assert.is(metadata.contentType, 'video/x-session')
})

gcs('holds a session to the precondition it began with', async (context) => {
  const session = await begin(context, 'taken', 'ifGenerationMatch=0')
  await at(context, 'taken').save('first', { resumable: false })
  assert.is((await put(session, 'bytes 0-5/6', bytes(6, 'x'))).status, 412)
  assert.is(String((await at(context, 'taken').download())[0]), 'first')
})

gcs('lists no object of an unfinished session', async (context) => {
  await put(await begin(context, 'unfinished'), `bytes 0-${unit - 1}/*`, bytes(unit, 'a'))
  const prefix = `${context.server.prefix}unfinished`
  assert.equal((await context.bucket.getFiles({ prefix }))[0], [])
})

gcs('answers the end of a session with a status of its own', async (context) => {
  const session = await begin(context, 'ended')
  assert.is((await fetch(session, { method: 'DELETE' })).status, 499)
})

gcs.run()

function at({ bucket, server }: Context, name: string) {
  return bucket.file(`${server.prefix}${name}`)
}

function object({ server }: Context, name: string): string {
  const { endpoint, bucket, prefix } = server
  return `${endpoint}/storage/v1/b/${bucket}/o/${encodeURIComponent(prefix + name)}`
}

/** Begins a resumable session and returns its URL. */
async function begin({ server }: Context, name: string, query = ''): Promise<string> {
  const { endpoint, bucket, prefix } = server
  const uploads = `${endpoint}/upload/storage/v1/b/${bucket}/o`
  const key = encodeURIComponent(prefix + name)
  const answer = await fetch(`${uploads}?uploadType=resumable&name=${key}&${query}`, {
    method: 'POST',
    headers: { ...(await server.headers()), 'content-type': 'application/json' },
    body: JSON.stringify({
      contentType: 'video/x-session',
      metadata: { colour: 'blue' },
    }),
  })
  assert.is(answer.status, 200)
  const session = answer.headers.get('location') ?? ''
  assert.ok(session.startsWith(endpoint), session)
  return session
}

function put(session: string, range: string, body?: Buffer<ArrayBuffer>) {
  return fetch(session, {
    method: 'PUT',
    headers: { 'content-range': range },
    body,
    redirect: 'manual',
  })
}

function bytes(size: number, of: string): Buffer<ArrayBuffer> {
  return Buffer.alloc(size, of)
}

/** The status code of the error that it must end with. */
async function failure(sent: Promise<unknown>): Promise<unknown> {
  const error = await sent.then(
    () => assert.unreachable('it succeeded'),
    (error: unknown) => error,
  )
  return error instanceof Error && 'code' in error ? error.code : error
}
