/** `carcosa.api.files`: the same files without HTTP. */
import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable, Transform } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError, createRouter, type ListOptions, route } from '../../src/index.ts'
import type { UploadBody } from '../../src/uploads/body.ts'
import type { ProgramUpload } from '../../src/uploads/from-program.ts'
import { eventsOf, upload } from '../support/lifecycle.ts'
import { startServer, type TestServer } from '../support/server.ts'

const kB = { maxFileSize: '1KB' } as const
let callbacks = 0
const router = createRouter({
  plain: route({ blob: { ...kB, acl: 'public-read' } }).public(),
  private: route({ blob: kB }),
  picture: route({ image: kB }).public(),
  big: route({ blob: { maxFileSize: '16MB', minFileSize: '2B' } }).public(),
  called: route({ blob: kB }).onUploadComplete(({ metadata, principalId }) => {
    callbacks++
    return { metadata, principalId }
  }),
})

const test = suite('api')
let server: TestServer
test.before(async () => {
  server = await startServer({ router })
})
test.after(() => server.close())

const files = () => server.carcosa.api.files
const unknown = 'AAAAAAAAAAAAAAAAAAAAAAAA'

async function stored(id: string): Promise<string> {
  const url = await files().sign(id)
  return (await server.doors.http({ method: 'GET', path: url })).text
}

function objects(): string[] {
  const found = readdirSync(join(server.dataDir, 'files'), { recursive: true })
  return found.map(String).filter((path) => path.length > 10)
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}

const text = 'grün 🦆'
const bytes = Buffer.from(text)
const bodies: [what: string, body: () => UploadBody, knowsSize: boolean][] = [
  ['a text', () => text, true],
  ['a Buffer', () => bytes, true],
  ['a Uint8Array', () => new Uint8Array(bytes), true],
  [
    'a part of a larger array',
    () => new Uint8Array([1, 2, ...bytes, 3]).subarray(2, -1),
    true,
  ],
  ['a Blob', () => new Blob([bytes]), true],
  ['a stream of bytes', () => Readable.from([bytes], { objectMode: false }), false],
  [
    'a stream of Buffers',
    () => Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]),
    false,
  ],
  ['a stream of Uint8Arrays', () => Readable.from([new Uint8Array(bytes)]), false],
  ['a stream of texts', () => Readable.from(['grün ', '🦆']), false],
  [
    'a stream with an encoding, cut within a character',
    () =>
      Readable.from([bytes.subarray(0, 3), bytes.subarray(3)], {
        objectMode: false,
      }).setEncoding('utf8'),
    false,
  ],
  [
    'a generator',
    () =>
      Readable.from(
        (async function* () {
          yield bytes
        })(),
      ),
    false,
  ],
  ['a web stream', () => new Blob([bytes]).stream(), false],
  ['the body of a Response', () => new Response(text).body ?? '', false],
]

for (const [what, body, knowsSize] of bodies) {
  for (const size of knowsSize ? [undefined] : [undefined, bytes.length]) {
    test(`it takes ${what}${size ? ' of known size' : ''}`, async () => {
      const file = await files().upload(body(), { route: 'plain', ...(size && { size }) })
      assert.is(file.state, 'ready')
      assert.is(file.size, bytes.length)
      assert.is(await stored(file.id), text)
      assert.ok(file.sha256)
      assert.equal(await eventsOf(server, { id: file.id, url: '' }), [
        'file.created',
        'file.stored',
        'file.ready',
      ])
    })
  }
}

for (const [what, body] of [
  ['a text', () => ''],
  ['a stream', () => Readable.from([])],
  ['a Blob', () => new Blob([])],
] as [string, () => UploadBody][]) {
  test(`it takes ${what} without a byte`, async () => {
    const file = await files().upload(body(), { route: 'plain' })
    assert.is(file.size, 0)
    assert.is(file.state, 'ready')
  })
}

test('megabytes of unknown size come out as they went in', async () => {
  const big = Buffer.alloc(7_000_001, 'abcdefg')
  const file = await files().upload(Readable.from(chunksOf(big)), { route: 'big' })
  assert.is(file.size, big.length)
  assert.ok((await stored(file.id)) === big.toString())
})

test('name, type, owner and metadata are as given; the callback runs, middleware does not', async () => {
  const before = callbacks
  const { id } = await files().upload('{}', {
    route: 'called',
    filename: 'a.json',
    type: 'application/json',
    ownerId: 'ann',
    metadata: { album: 7 },
  })
  await sleep(100)
  const file = await files().get(id)
  assert.is(file?.filename, 'a.json')
  assert.is(file?.contentType, 'application/json')
  assert.is(file?.ownerId, 'ann')
  assert.equal(file?.serverData, { metadata: { album: 7 }, principalId: 'ann' })
  assert.is(callbacks, before + 1)
})

// Bodies and options that are refused: nothing may be left of them.

/** Text that fails at its very end, as a cipher does whose seal is broken. */
function brokenSeal(): Readable {
  return Readable.from([Buffer.from('all of it')], { objectMode: false }).pipe(
    new Transform({
      transform: (chunk, _encoding, done) => done(null, chunk),
      flush: (done) => done(new Error('broken seal')),
    }),
  )
}

function destroyedAfter(content: string): Readable {
  const body = new PassThrough()
  body.write(content)
  setTimeout(() => body.destroy(), 50)
  return body
}

const failing = (content: string) =>
  Readable.from(
    (async function* () {
      yield Buffer.from(content)
      throw new Error('the source failed')
    })(),
  )

const refused: [
  what: string,
  body: () => UploadBody,
  options: Partial<ProgramUpload>,
  with_: string,
][] = [
  ['a route that does not exist', () => 'x', { route: 'none' }, 'ROUTE_NOT_FOUND'],
  ['a text too large', () => 'x'.repeat(1025), {}, 'FILE_TOO_LARGE'],
  ['a stream too large', () => Readable.from([Buffer.alloc(1025)]), {}, 'FILE_TOO_LARGE'],
  ['a stream too small', () => Readable.from(['x']), { route: 'big' }, 'FILE_TOO_SMALL'],
  [
    'a type the route does not take',
    () => 'x',
    { route: 'picture', type: 'text/plain' },
    'TYPE_NOT_ALLOWED',
  ],
  [
    'a page that calls itself a picture',
    () => '<html></html>',
    { route: 'picture', type: 'image/png' },
    'TYPE_NOT_ALLOWED',
  ],
  [
    'more bytes than announced',
    () => Readable.from(['12345']),
    { size: 4 },
    'LENGTH_EXCEEDED',
  ],
  [
    'fewer bytes than announced',
    () => Readable.from(['123']),
    { size: 4 },
    'LENGTH_INVALID',
  ],
  ['a text of another size than announced', () => '123', { size: 4 }, 'LENGTH_INVALID'],
  ['a stream that fails', () => failing('12'), {}, 'Error: the source failed'],
  [
    'a stream that fails, of known size',
    () => failing('12'),
    { size: 4 },
    'Error: the source failed',
  ],
  ['a stream that fails after its last byte', brokenSeal, {}, 'Error: broken seal'],
  ['the same, of known size', brokenSeal, { size: 9 }, 'Error: broken seal'],
  [
    'a stream that is closed before its end',
    () => destroyedAfter('12'),
    {},
    'LENGTH_INVALID',
  ],
  [
    'a stream of things',
    () => Readable.from([{ a: 1 }]),
    {},
    'TypeError: A body yields bytes or text, not object.',
  ],
  [
    'a web stream that fails',
    () => new ReadableStream({ start: (to) => to.error(new Error('the web failed')) }),
    {},
    'Error: the web failed',
  ],
]

for (const [what, body, options, with_] of refused) {
  test(`${what} is refused with ${with_}, and leaves nothing`, async () => {
    const before = objects()
    const given = body()
    const work = files().upload(given, { route: 'plain', ...options })
    assert.is(await refusal(work), with_)
    assert.equal(objects(), before)
    const newest = await server.newest()
    assert.ok(
      newest === null || !['created', 'receiving', 'stored'].includes(newest.state),
    )
    if (given instanceof Readable) assert.ok(given.destroyed, 'the body is closed')
  })
}

test('a file that does not exist fails the upload, not the process', async () => {
  const body = createReadStream(join(server.dataDir, 'no such file'))
  const code = await files()
    .upload(body, { route: 'plain' })
    .catch((error) => error.code)
  assert.is(code, 'ENOENT')
})

// Lists.

async function fill(owner: string, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    ids.push((await files().upload(`${i}`, { route: 'private', ownerId: owner })).id)
  }
  return ids
}

async function pages(options: ListOptions): Promise<string[][]> {
  const found: string[][] = []
  let cursor: string | null | undefined
  do {
    const page = await files().list({ ...options, ...(cursor && { cursor }) })
    found.push(page.files.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor)
  return found
}

test('files are listed newest first, in pages, each once', async () => {
  const ids = await fill('lister', 7)
  const found = await pages({ ownerId: 'lister', limit: 3 })
  assert.equal(
    found.map((page) => page.length),
    [3, 3, 1],
  )
  assert.equal(found.flat(), [...ids].reverse())
})

test('a last page that is full has no next one', async () => {
  await fill('full', 4)
  const found = await pages({ ownerId: 'full', limit: 2 })
  assert.equal(
    found.map((page) => page.length),
    [2, 2],
  )
})

test('files of the same millisecond are neither repeated nor hidden', async () => {
  const ids = await fill('ties', 9)
  await server.uploads.db.prisma.file.updateMany({
    where: { ownerId: 'ties' },
    data: { createdAt: new Date('2026-01-01T00:00:00.123Z') },
  })
  const found = await pages({ ownerId: 'ties', limit: 2 })
  assert.is(found.flat().length, 9)
  assert.equal(found.flat().sort(), [...ids].sort())
})

test('files that come and go between two pages move nothing', async () => {
  const ids = await fill('moving', 6)
  const first = await files().list({ ownerId: 'moving', limit: 3 })
  await fill('moving', 2)
  await files().delete(first.files.at(-1)?.id ?? '')
  const second = await files().list({
    ownerId: 'moving',
    limit: 3,
    cursor: first.nextCursor ?? '',
  })
  assert.equal(
    second.files.map(({ id }) => id),
    ids.slice(0, 3).reverse(),
  )
})

test('filters choose by route, owner, state and time, and together', async () => {
  const mine = await fill('filters', 2)
  const other = await files().upload('x', { route: 'plain', ownerId: 'filters' })
  await files().delete(mine[0] ?? '')
  const idsOf = async (options: ListOptions) =>
    (await files().list({ ownerId: 'filters', ...options })).files.map(({ id }) => id)
  assert.equal(await idsOf({}), [other.id, mine[1]])
  assert.equal(await idsOf({ route: 'plain' }), [other.id])
  assert.equal(await idsOf({ route: 'none' }), [])
  assert.equal(await idsOf({ states: ['removed'] }), [mine[0]])
  assert.equal(await idsOf({ states: [] }), [])
  assert.equal(await idsOf({ createdAfter: new Date(Date.now() + 1000) }), [])
  assert.equal(await idsOf({ createdBefore: other.createdAt, route: 'private' }), [
    mine[1],
  ])
})

test('a filter that Postgres cannot read finds nothing', async () => {
  for (const options of [{ ownerId: '\0' }, { route: '\uD800' }]) {
    assert.equal((await files().list(options)).files, [])
  }
})

test('sizes in a list are numbers, as elsewhere', async () => {
  const { id } = await files().upload('12345', { route: 'plain', ownerId: 'sizes' })
  const [listed] = (await files().list({ ownerId: 'sizes' })).files
  assert.equal(listed, await files().get(id))
})

const badLists: [options: Record<string, unknown>, code: string][] = [
  ...[0, -1, 501, 1.5, Number.NaN, '5', null].map(
    (limit): [Record<string, unknown>, string] => [{ limit }, 'BAD_REQUEST'],
  ),
  ...['', 'x', '123', 'MTIz', Buffer.from('1.short').toString('base64url')].map(
    (cursor): [Record<string, unknown>, string] => [{ cursor }, 'CURSOR_INVALID'],
  ),
  [{ createdAfter: new Date(Number.NaN) }, 'BAD_REQUEST'],
  [{ createdBefore: 'yesterday' }, 'BAD_REQUEST'],
  [{ states: ['gone'] }, 'BAD_REQUEST'],
]
for (const [options, code] of badLists) {
  test(`a list with ${JSON.stringify(options)} is refused with ${code}`, async () => {
    // What a program without types can pass.
    assert.is(await refusal(files().list(options as ListOptions)), code)
  })
}

// One file.

test('get finds a file in any state, and nothing by what is no id', async () => {
  const { id } = await files().upload('x', { route: 'plain' })
  assert.is((await files().get(id))?.id, id)
  await files().delete(id)
  assert.is((await files().get(id))?.state, 'removed')
  for (const wrong of [unknown, '', '\0', "' OR 1=1 --", 'x'.repeat(10_000)]) {
    assert.is(await files().get(wrong), null)
  }
})

test('a signed URL opens a private file for a while, for anybody', async () => {
  const { id } = await files().upload('secret', { route: 'private', ownerId: 'ann' })
  const get = (path: string) => server.doors.http({ method: 'GET', path })
  assert.is((await get(`/files/${id}`)).status, 404)
  const url = await files().sign(id, { expiresIn: '1 hour', disposition: 'attachment' })
  const answer = await get(url)
  assert.is(answer.text, 'secret')
  assert.match(answer.headers['content-disposition'] ?? '', /^attachment/)
})

test('renaming changes the name readers see, and tells it', async () => {
  const { id } = await files().upload('x', { route: 'plain', filename: 'old.txt' })
  const renamed = await files().rename(id, 'neu "ü"/..\\\r\n.txt')
  assert.is(renamed.filename, 'neu "ü"/..\\\r\n.txt')
  const answer = await server.doors.http({ method: 'GET', path: `/files/${id}` })
  assert.is(answer.status, 200)
  assert.not.match(answer.headers['content-disposition'] ?? '', /[\r\n/\\]\.\./)
  assert.equal((await eventsOf(server, { id, url: '' })).at(-1), 'file.renamed')
})

test('a name Postgres cannot keep is mended', async () => {
  const { id } = await files().upload('x', { route: 'plain' })
  assert.is((await files().rename(id, 'a\0b\uD800')).filename, 'a\uFFFDb\uFFFD')
})

for (const name of ['', 'x'.repeat(4097), undefined, null, 5, {}]) {
  test(`${JSON.stringify(name)?.slice(0, 20)} is no name`, async () => {
    const { id } = await files().upload('x', { route: 'plain', filename: 'old' })
    // What a program without types can pass.
    assert.is(await refusal(files().rename(id, name as string)), 'BAD_REQUEST')
    assert.is((await files().get(id))?.filename, 'old')
  })
}

test('what does not exist or has gone is neither signed nor renamed', async () => {
  const { id } = await files().upload('x', { route: 'plain' })
  await files().delete(id)
  for (const wrong of [id, unknown, '', '\0']) {
    assert.is(await refusal(files().sign(wrong)), 'FILE_NOT_FOUND')
    assert.is(await refusal(files().rename(wrong, 'new')), 'FILE_NOT_FOUND')
  }
})

test('deleting takes record and bytes; a second time there is nothing left', async () => {
  const made = await upload(server, 'plain', 'content')
  assert.ok(await files().delete(made.id))
  assert.not.ok(await files().delete(made.id))
  assert.not.ok(await files().delete(unknown))
  assert.not.ok(await files().delete('\0'))
  assert.not.ok(objects().some((path) => path.includes(made.id)))
  const { status } = await server.doors.http({ method: 'GET', path: `/files/${made.id}` })
  assert.is(status, 404)
  assert.equal(
    (await eventsOf(server, made)).filter((type) => type === 'file.removed'),
    ['file.removed'],
  )
})

test('of ten who delete a file at once it is removed once', async () => {
  const made = await upload(server, 'plain', 'content')
  await Promise.all(Array.from({ length: 10 }, () => files().delete(made.id)))
  const events = await eventsOf(server, made)
  assert.is(events.filter((type) => type === 'file.removed').length, 1)
})

test('jobs are listed, counted and put back, and a closed Carcosa says so', async () => {
  const other = await startServer({ router })
  const { jobs } = other.carcosa.api
  const { id } = await upload(other, 'big', 'hello')
  await other.uploads.jobs.enqueue(null, 'upload.digest', { fileId: id })
  const [job, ...others] = await jobs.list({ queue: 'upload.digest' })
  assert.equal(others, [])
  assert.equal([job?.state, job?.attempts, job?.data], ['waiting', 0, { fileId: id }])
  assert.is((await jobs.counts())['upload.digest'].waiting, 1)
  assert.is(await jobs.retry({ all: true }), 0)
  const code = (error: unknown) => (error as CarcosaError).code
  assert.is(await jobs.list({ queue: 'x' }).catch(code), 'QUEUE_UNKNOWN')
  await other.carcosa.close()
  assert.is(await jobs.list().catch(code), 'SHUTTING_DOWN')
  assert.is(await jobs.retry({ all: true }).catch(code), 'SHUTTING_DOWN')
  await other.close()
})

test.run()

function* chunksOf(all: Buffer): Generator<Buffer> {
  for (let at = 0; at < all.length; at += 60_000) yield all.subarray(at, at + 60_000)
}
