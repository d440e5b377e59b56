/** Files are served alike from every store: by this server, and by the store after a redirect. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { file } from '../../stores/file.ts'
import type { Store } from '../../stores/store.ts'
import { randomBytesFrom } from '../support/byte-source.ts'
import type { Answered } from '../support/exchange.ts'
import { seededRandom } from '../support/random.ts'
import { requires } from '../support/requirements.ts'
import { startS3Fake } from '../support/s3-fake.ts'
import { s3Server } from '../support/s3-server.ts'
import type { TestServer } from '../support/server.ts'
import {
  bucketStore,
  type Content,
  comparable,
  type Served,
  type ServingRoute,
  serve,
  startServing,
} from '../support/serving.ts'

const KiB = 1024
const MiB = 1024 * KiB

const letter = { name: 'lettre à Hali.txt', type: 'text/plain', bytes: text(300 * KiB) }
const page = { name: 'page.html', type: 'text/html', bytes: '<!doctype html><p>Hastur' }
const vector = { name: 'a.svg', type: 'image/svg+xml', bytes: '<svg xmlns="a"></svg>' }
const large = {
  name: 'large.bin',
  type: 'application/octet-stream',
  bytes: randomBytesFrom(seededRandom(1), 12 * MiB + 5),
}
const nothing = { name: 'nothing.txt', type: 'text/plain', bytes: '' }

interface Context {
  server: TestServer
  files: Readonly<Record<'letter' | 'page' | 'vector' | 'large' | 'nothing', Served>>
  stop(): Promise<void>
}

async function contextOf(store: Store, stop: () => Promise<void>): Promise<Context> {
  const server = await startServing(store)
  const put = (what: Content) => serve(server, 'proxied', what)
  return {
    server,
    files: {
      letter: await put(letter),
      page: await put(page),
      vector: await put(vector),
      large: await put(large),
      nothing: await put(nothing),
    },
    async stop() {
      await server.close()
      await stop()
    },
  }
}

const directory = mkdtempSync(join(tmpdir(), 'carcosa-serve-'))
let plain: Context

const stores = {
  async fake() {
    const fake = await startS3Fake()
    return contextOf(bucketStore(fake), () => fake.close())
  },
  async versitygw() {
    const gateway = await s3Server()
    return contextOf(bucketStore(gateway), () => gateway.stop())
  },
}

const setUp = suite('serving files from disk, the measure of all')
setUp('answers', async () => {
  plain = await contextOf(file({ directory }), async () => {
    rmSync(directory, { recursive: true })
  })
  const whole = await get(plain, 'letter')
  assert.is(whole.status, 200)
  assert.ok(whole.bytes.equals(Buffer.from(letter.bytes)))
})
setUp.run()

for (const [name, create] of Object.entries(stores)) {
  const bare = suite<Context>(`serving files from ${name}`)
  const test = name === 'versitygw' ? requires('versitygw', bare) : bare
  test.before(async (context) => void Object.assign(context, await create()))
  test.after(({ stop }) => stop?.())
  proxying(test)
  redirecting(test)
  test.run()
}

const last = suite('serving files: the end')
last('nothing is left running', () => plain.stop())
last.run()

function proxying(test: Test<Context>): void {
  const tag = '"<id>"'
  const asked: [what: keyof Context['files'], headers: Record<string, string>][] = [
    ['letter', {}],
    ['page', {}],
    ['vector', {}],
    ['large', {}],
    ['nothing', {}],
    ['nothing', { Range: 'bytes=0-' }],
    ['letter', { Range: 'bytes=0-0' }],
    ['letter', { Range: 'bytes=100-199' }],
    ['letter', { Range: 'bytes=307199-' }],
    ['letter', { Range: 'bytes=-5' }],
    ['letter', { Range: 'bytes=300000-999999' }],
    ['letter', { Range: 'bytes=307200-' }],
    ['letter', { Range: 'bytes=five-' }],
    ['letter', { Range: 'bytes=0-9,100-109,-3' }],
    ['letter', { Range: 'bytes=0-9,5-20' }],
    ['large', { Range: `bytes=${5 * MiB - 3}-${5 * MiB + 2}` }],
    ['large', { Range: `bytes=0-1,${10 * MiB - 1}-${10 * MiB},${12 * MiB}-` }],
    ['letter', { 'If-None-Match': tag }],
    ['letter', { 'If-None-Match': '"other"' }],
    ['letter', { 'If-None-Match': '*' }],
    ['letter', { 'If-Match': tag }],
    ['letter', { 'If-Match': '"other"' }],
    ['letter', { 'If-Range': tag, Range: 'bytes=0-9' }],
    ['letter', { 'If-Range': '"other"', Range: 'bytes=0-9' }],
    ['letter', { 'If-Modified-Since': 'Fri, 01 Jan 2100 00:00:00 GMT' }],
    ['letter', { 'If-Modified-Since': 'Thu, 01 Jan 1998 00:00:00 GMT' }],
    ['letter', { 'If-Unmodified-Since': 'Thu, 01 Jan 1998 00:00:00 GMT' }],
    ['letter', { Origin: 'https://app.example.com' }],
  ]
  for (const [what, headers] of asked) {
    for (const method of ['GET', 'HEAD']) {
      test(`${method} of ${what} ${JSON.stringify(headers)} is as from disk`, async (here) => {
        const ours = await get(here, what, { method, headers })
        const theirs = await get(plain, what, { method, headers })
        const found = comparable(ours, here.files[what])
        const wanted = comparable(theirs, plain.files[what])
        assert.is(found.status, wanted.status)
        assert.equal(found.headers, wanted.headers)
        assert.ok(found.body === wanted.body, 'the same bytes')
      })
    }
  }

  test('the bytes are those that were sent', async (here) => {
    assert.ok((await get(here, 'letter')).bytes.equals(Buffer.from(letter.bytes)))
    assert.ok((await get(here, 'large')).bytes.equals(large.bytes))
  })
}

function redirecting(test: Test<Context>): void {
  const ways: [route: ServingRoute, what: string][] = [
    ['redirected', 'that anybody may read'],
    ['signed', 'with a signature'],
    ['mine', 'of the reader'],
  ]
  for (const [route, what] of ways) {
    test(`a file ${what} is read from the store, with the headers of this server`, async ({
      server,
    }) => {
      const served = await serve(server, route, letter)
      const asked = await requestOf(server, route, served)
      const shown = await server.doors.http({ ...asked, method: 'HEAD' })
      assert.is(shown.status, 200, 'HEAD is answered here')
      const sent = await server.doors.http(asked)
      requireRedirect(sent, route)
      const answer = await fetch(sent.headers.location ?? '')
      assert.is(answer.status, 200)
      assert.ok(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(letter.bytes)))
      requireSameHeaders(answer.headers, shown, [
        'content-type',
        'content-disposition',
        'content-length',
        'accept-ranges',
        'cache-control',
      ])
    })
  }

  test('a range goes along', async ({ server }) => {
    const served = await serve(server, 'redirected', large)
    const Range = `bytes=${5 * MiB - 2}-${5 * MiB + 1}`
    const sent = await server.doors.http({
      method: 'GET',
      path: served.path,
      headers: { Range },
    })
    requireRedirect(sent, 'redirected')
    const answer = await fetch(sent.headers.location ?? '', { headers: { Range } })
    assert.is(answer.status, 206)
    const bytes = Buffer.from(await answer.arrayBuffer())
    assert.ok(bytes.equals(large.bytes.subarray(5 * MiB - 2, 5 * MiB + 2)))
    assert.is(
      answer.headers.get('content-range'),
      `bytes ${5 * MiB - 2}-${5 * MiB + 1}/${large.bytes.length}`,
    )
  })

  test('a client that follows gets what a client of this server gets', async ({
    server,
  }) => {
    const served = await serve(server, 'redirected', letter)
    const url = `http://127.0.0.1:${server.port}${served.path}`
    for (const headers of [{}, { Range: 'bytes=7-99' }] as Record<string, string>[]) {
      const answer = await fetch(url, { headers })
      assert.ok(answer.redirected)
      const from = 'Range' in headers ? [7, 100] : [0, letter.bytes.length]
      assert.is(await answer.text(), letter.bytes.slice(...from))
    }
  })

  test('a signed link is good for no longer at the store', async ({ server }) => {
    const served = await serve(server, 'signed', letter)
    const path = await server.carcosa.api.files.sign(served.id, { expiresIn: '30s' })
    const sent = await server.doors.http({ method: 'GET', path })
    const expires = Number(new URLSearchParams(path.split('?')[1]).get('expires'))
    const at = new URL(sent.headers.location ?? '').searchParams
    const [, y, m, d, h, min, s] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(at.get('X-Amz-Date') ?? '') ?? []
    const signedAt = Date.parse(`${y}-${m}-${d}T${h}:${min}:${s}Z`) / 1000
    const until = signedAt + Number(at.get('X-Amz-Expires'))
    assert.ok(until <= expires && until > expires - 5, `${until} and ${expires}`)
  })

  for (const what of [page, vector]) {
    test(`${what.type} stays here, an attachment in a sandbox`, async ({ server }) => {
      const served = await serve(server, 'redirected', what)
      const answer = await server.doors.http({ method: 'GET', path: served.path })
      assert.is(answer.status, 200)
      assert.match(answer.headers['content-disposition'] ?? '', /^attachment;/)
      assert.is(answer.headers['x-content-type-options'], 'nosniff')
      assert.match(answer.headers['content-security-policy'] ?? '', /^sandbox;/)
    })
  }

  test('who may not read gets no URL', async ({ server }) => {
    const served = await serve(server, 'mine', letter)
    for (const Authorization of [null, 'Bearer cassilda']) {
      const headers = { Authorization }
      const answer = await server.doors.http({
        method: 'GET',
        path: served.path,
        headers,
      })
      assert.is(answer.status, 404)
      assert.is(answer.headers.location, undefined)
    }
  })

  test('a page of another site is told the redirect under the rules of CORS', async ({
    server,
  }) => {
    const served = await serve(server, 'redirected', letter)
    const headers = { Origin: 'https://app.example.com' }
    const sent = await server.doors.http({ method: 'GET', path: served.path, headers })
    assert.is(sent.status, 302)
    assert.is(sent.headers['access-control-allow-origin'], '*')
  })
}

function requireRedirect(
  { status, headers, bytes }: Answered,
  route: ServingRoute,
): void {
  assert.is(status, 302)
  assert.is(bytes.length, 0)
  assert.is(headers['referrer-policy'], 'no-referrer')
  const cached = { redirected: /^private, max-age=150$/, mine: /^private, no-cache$/ }
  const wanted =
    route === 'redirected' || route === 'mine' ? cached[route] : /^private, max-age=\d+$/
  assert.match(headers['cache-control'] ?? '', wanted)
}

function requireSameHeaders(found: Headers, wanted: Answered, names: string[]): void {
  for (const name of names) {
    const [is, was] = [found.get(name), wanted.headers[name] ?? null]
    // A second may have passed since.
    const almost = /^private, max-age=\d+$/
    if (name === 'cache-control' && almost.test(was ?? '')) assert.match(is ?? '', almost)
    else assert.is(is, was, name)
  }
}

async function requestOf(server: TestServer, route: ServingRoute, { id, path }: Served) {
  const method = 'GET'
  if (route === 'mine')
    return { method, path, headers: { Authorization: 'Bearer hastur' } }
  if (route !== 'signed') return { method, path }
  return { method, path: await server.carcosa.api.files.sign(id, { expiresIn: '1h' }) }
}

function get(
  { server, files }: Context,
  what: keyof Context['files'],
  {
    method = 'GET',
    headers = {},
  }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answered> {
  const { id, path } = files[what]
  const own = Object.entries(headers).map(([name, value]) => [
    name,
    value.replace('<id>', id),
  ])
  return server.doors.http({ method, path, headers: Object.fromEntries(own) })
}

function text(length: number): string {
  return 'Along the shore the cloud waves break, the twin suns sink behind the lake.\n'
    .repeat(Math.ceil(length / 70))
    .slice(0, length)
}
