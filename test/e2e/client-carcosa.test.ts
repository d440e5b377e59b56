import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { createClient, memoryStorage, UploadFailedError } from '../../client/index.ts'
import { createCarcosa, createRouter, route } from '../../src/index.ts'

const router = createRouter({
  photos: route({ image: { maxFileSize: '4MB', maxFileCount: 2 } })
    .public()
    .input(z.object({ album: z.string().min(1) }))
    .middleware(({ input }) => ({ shelf: input.album.toUpperCase() }))
    .onUploadComplete(({ file, metadata }) => ({
      shelf: metadata.shelf,
      size: file.size,
    })),
  any: route({ blob: { maxFileSize: '64MB', maxFileCount: 20 } }).public(),
  quick: route({ blob: {} }, { awaitServerData: false })
    .public()
    .onUploadComplete(() => ({ never: 'told' })),
  pair: route({ blob: { minFileCount: 2, maxFileCount: 2 } }).public(),
  mine: route(['blob']).middleware(({ principal }) => ({ owner: principal.id })),
  broken: route(['blob'])
    .public()
    .middleware(() => {
      throw new Error('secret of the server')
    }),
})

const directory = await mkdtemp(join(tmpdir(), 'carcosa-client-'))
const carcosa = await createCarcosa({
  router,
  database: 'memory://',
  dataDir: directory,
  basePath: '/media',
  auth: [
    {
      name: 'test',
      authenticate: ({ headers }) => {
        const id = headers.get('authorization')?.replace('Bearer ', '')
        return id ? { id, kind: 'user' } : null
      },
    },
  ],
})
const http = createServer(carcosa.handler)
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/media`

const retry = { attempts: 5, minDelay: 10, maxDelay: 50 }
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const picture = (bytes: BlobPart = png) =>
  new File([bytes], 'a.png', { type: 'image/png' })
const content = randomBytes(5 * 1024 * 1024 + 3)
const blob = (name = 'a.bin') => new File([content], name, { lastModified: 1 })
const client = createClient<typeof router>({ url, retry })

const test = suite('the client against Carcosa')

test('serverData comes back with the types and values of onUploadComplete', async () => {
  const { files } = await client.upload('photos', [picture()], {
    input: { album: 'sea' },
  })
  const [file] = files
  const shelf: string | undefined = file?.serverData.shelf
  assert.is(shelf, 'SEA')
  assert.is(file?.serverData.size, png.length)
  assert.is(file?.type, 'image/png')
  assert.is(file?.sha256, createHash('sha256').update(png).digest('hex'))
})

test('the link leads to the bytes that were sent', async () => {
  const { files } = await client.upload('any', [blob(), new Blob(['hi'])])
  const bodies = await Promise.all(files.map((file) => fetch(file.url ?? '')))
  assert.equal(
    bodies.map((body) => body.status),
    [200, 200],
  )
  const [first, second] = await Promise.all(bodies.map((body) => body.bytes()))
  assert.ok(content.equals(first ?? Buffer.alloc(0)))
  assert.equal(second, new TextEncoder().encode('hi'))
})

test('an empty file arrives', async () => {
  const { files } = await client.upload('any', [new File([], 'empty')])
  assert.is(files[0]?.size, 0)
})

test('a route that waits for no one answers without serverData', async () => {
  const { files } = await client.upload('quick', [blob()])
  assert.is(files[0]?.serverData, null)
})

const refusals: [code: string, run: () => Promise<unknown>][] = [
  [
    'FILE_TOO_LARGE',
    () => client.upload('photos', [picture(content)], { input: { album: 'a' } }),
  ],
  [
    'TYPE_NOT_ALLOWED',
    () => client.upload('photos', [blob()], { input: { album: 'a' } }),
  ],
  ['INPUT_INVALID', () => client.upload('photos', [picture()], { input: { album: '' } })],
  [
    'TOO_MANY_FILES',
    () => client.upload('photos', Array(3).fill(picture()), { input: { album: 'a' } }),
  ],
  ['TOO_FEW_FILES', () => client.upload('pair', [blob()])],
  ['UNAUTHENTICATED', () => client.upload('mine', [blob()])],
  ['MIDDLEWARE_FAILED', () => client.upload('broken', [blob()])],
  ['ROUTE_NOT_FOUND', () => createClient({ url, retry }).upload('nowhere', [blob()])],
]
for (const [code, run] of refusals) {
  test(`${code} comes with its code before a byte is sent`, async () => {
    const error: unknown = await run().catch((reason) => reason)
    if (!(error instanceof UploadFailedError)) throw error
    assert.is(error.code, code)
    assert.not.match(error.message, 'secret')
  })
}

test('what is not what it says is refused, and is not sent a second time', async () => {
  const fake = new File([content.subarray(0, 1000)], 'a.png', { type: 'image/png' })
  const events: string[] = []
  const upload = client.create('photos', [fake], { input: { album: 'a' } })
  upload.subscribe((event) => events.push(event.type))
  const error = await upload.done.catch((reason) => reason)
  assert.instance(error, UploadFailedError)
  assert.ok(['TYPE_NOT_ALLOWED', 'UPLOAD_REJECTED'].includes(error.code), error.code)
  assert.not.ok(events.includes('restart'))
  upload.resume()
  const again = await upload.done.catch((reason) => reason)
  assert.instance(again, UploadFailedError)
  assert.not.ok(events.includes('restart'), 'nor when it is resumed')
})

test('connections cut again and again do not harm the file', async () => {
  const upload = client.create('any', [blob()])
  const offsets: number[] = []
  let cuts = 0
  upload.subscribe((event) => {
    if (event.type === 'resume') offsets.push(event.offset)
    const { fraction } = event.file.current.progress
    if (event.type !== 'progress' || fraction === 1 || cuts >= 4) return
    cuts++
    setTimeout(() => http.closeAllConnections(), cuts)
  })
  const { files } = await upload.done
  assert.is(files[0]?.size, content.length)
  const body = await fetch(files[0]?.url ?? '').then((answer) => answer.arrayBuffer())
  assert.ok(Buffer.from(body).equals(content))
  assert.equal(
    offsets,
    offsets.slice().sort((a, b) => a - b),
    'no acknowledged offset went back',
  )
})

test('an upload goes on in another client, and belongs to who began it', async () => {
  const storage = memoryStorage()
  const options = { url, retry, storage, chunkSize: 1024 * 1024 }
  const ann = createClient<typeof router>({
    ...options,
    headers: { authorization: 'Bearer ann' },
  })
  const upload = ann.create('mine', [blob()])
  await new Promise<void>((resolve) => {
    upload.subscribe(() => {
      if (upload.current.progress.sent < 2 * 1024 * 1024) return
      upload.pause()
      resolve()
    })
  })
  const [entry] = await ann.unfinished()
  assert.is(entry?.name, 'a.bin')
  // The ticket kept with the upload is enough: a session may have ended meanwhile.
  const later = createClient<typeof router>(options).create('mine', [blob()])
  let resumed = 0
  later.subscribe((event) => {
    if (event.type === 'resume') resumed = event.offset
  })
  const { files } = await later.done
  assert.ok(resumed >= 1024 * 1024)
  assert.is(files[0]?.sha256, createHash('sha256').update(content).digest('hex'))
  assert.equal(await ann.unfinished(), [])
})

test('a cancelled upload is gone from the server', async () => {
  const storage = memoryStorage()
  const cancelling = createClient<typeof router>({
    url,
    retry,
    storage,
    chunkSize: 65_536,
  })
  const upload = cancelling.create('any', [blob('c.bin')])
  await new Promise<void>((resolve) => {
    upload.subscribe(() => upload.current.progress.sent > 1e6 && resolve())
  })
  const [entry] = await cancelling.unfinished()
  await upload.cancel()
  const headers = {
    'tus-resumable': '1.0.0',
    'upload-ticket': entry?.ticket ?? '',
  }
  const answer = await fetch(entry?.url ?? '', { method: 'HEAD', headers })
  assert.is(answer.status, 410)
})

test('twenty files travel three at a time, and all arrive', async () => {
  const many = Array.from(
    { length: 20 },
    (_, i) => new File([`${i}`.repeat(1000)], `${i}`),
  )
  const { files } = await client.upload('any', many)
  assert.equal(
    files.map((file) => file.name),
    many.map((file) => file.name),
  )
})

test('GET /routes is told as it is', async () => {
  const routes = await client.routes()
  assert.is(routes.quick?.awaitServerData, false)
  assert.equal(Object.keys(routes), Object.keys(router.routes))
})

test.after(async () => {
  http.closeAllConnections()
  http.close()
  await carcosa.close()
  await rm(directory, { recursive: true, force: true })
})
test.run()
