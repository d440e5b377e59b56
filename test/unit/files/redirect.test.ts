import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FileRecord } from '../../../src/files/record.ts'
import type { ServeOptions } from '../../../src/files/serve.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'
import type { UrlGrant } from '../../../stores/store.ts'
import { readReply, refusal, servedFile } from '../../support/served-file.ts'

const test = suite('files/redirect')

const hour = 3_600_000
const soon = (ms: number) => new Date(Date.now() + ms)

/** A file whose store signs URLs, which are told with what they were asked for. */
function subject(overrides: Partial<FileRecord> = {}) {
  const { file, store, ask } = servedFile('0123456789', overrides)
  const granted: UrlGrant[] = []
  const signing = {
    ...store,
    async signedUrl(key: string, grant: UrlGrant) {
      granted.push(grant)
      return `https://bucket.example/${key}?signed`
    },
  }
  return {
    file,
    store,
    granted,
    ask: (headers: Record<string, string> = {}, more: Partial<ServeOptions> = {}) =>
      ask(headers, { store: signing, mayRedirect: true, ...more }),
  }
}

test('a file that anybody may read is read from the store, for five minutes', async () => {
  const { file, store, granted, ask } = subject({ acl: 'public-read' })
  const reply = await ask()
  assert.is(reply.status, 302)
  assert.is(reply.body, null)
  assert.equal(reply.headers, {
    Location: `https://bucket.example/${file.key}?signed`,
    'Cache-Control': 'private, max-age=150',
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Referrer-Policy': 'no-referrer',
  })
  assert.equal(granted, [
    {
      expiresIn: 300_000,
      contentType: 'text/plain; charset=utf-8',
      contentDisposition: 'inline; filename="file.bin"',
      cacheControl: 'public, max-age=3600',
    },
  ])
  assert.is(store.opened.length, 0)
})

test('the redirect of a reader with a credential is asked for again each time', async () => {
  const { granted, ask } = subject()
  const reply = await ask()
  assert.is(reply.status, 302)
  assert.is(reply.headers['Cache-Control'], 'private, no-cache')
  assert.is(reply.headers['Cross-Origin-Resource-Policy'], 'same-site')
  assert.is(granted[0]?.cacheControl, 'private, no-cache')
})

const lives: [left: number, most: number, maxAge: number][] = [
  [10_500, 10_000, 5],
  [hour, hour, 1800],
  [48 * hour, 48 * hour, 3600],
  [30 * 24 * hour, 7 * 24 * hour, 3600],
]
for (const [left, most, maxAge] of lives) {
  test(`a signature with ${left / 1000} s left gives a URL for no longer`, async () => {
    const { granted, ask } = subject()
    const reply = await ask({}, { expiresAt: soon(left) })
    assert.is(reply.status, 302)
    const { expiresIn = 0 } = granted[0] ?? {}
    assert.ok(expiresIn <= most && expiresIn >= most - 1000, String(expiresIn))
    const [, told] =
      /^private, max-age=(\d+)$/.exec(reply.headers['Cache-Control'] ?? '') ?? []
    assert.ok(Number(told) <= maxAge && Number(told) >= maxAge - 1, told)
    assert.ok(Number(told) * 1000 < expiresIn)
  })
}

test('a signature with less than a second left is served here', async () => {
  const { granted, ask } = subject()
  const reply = await ask({}, { expiresAt: soon(900) })
  assert.is(reply.status, 200)
  assert.equal(granted, [])
  assert.is(String(await readReply(reply)), '0123456789')
})

test('the disposition that was wished for goes along', async () => {
  const { granted, ask } = subject()
  await ask({}, { disposition: 'attachment' })
  assert.is(granted[0]?.contentDisposition, 'attachment; filename="file.bin"')
})

for (const range of ['bytes=0-', 'bytes=2-5', 'bytes=-3', 'bytes=8-100']) {
  test(`Range: ${range} goes along to the store`, async () => {
    assert.is((await subject().ask({ Range: range })).status, 302)
  })
}

const here: [what: string, headers: Record<string, string>, status: number][] = [
  ['several ranges', { Range: 'bytes=0-1,4-5' }, 206],
  ['ranges that become one', { Range: 'bytes=0-4,3-6' }, 206],
  ['a range that is malformed', { Range: 'bytes=five-' }, 200],
  ['a range that ends before it begins', { Range: 'bytes=5-2' }, 200],
  ['a unit nobody knows', { Range: 'lines=1-2' }, 200],
  ['If-Match', { 'If-Match': '"file_0123456789abcdef"' }, 200],
  ['If-Range', { 'If-Range': '"file_0123456789abcdef"', Range: 'bytes=0-1' }, 206],
  ['If-Modified-Since', { 'If-Modified-Since': 'Thu, 01 Jan 2026 00:00:00 GMT' }, 200],
  [
    'If-Unmodified-Since',
    { 'If-Unmodified-Since': 'Sat, 03 Jan 2026 00:00:00 GMT' },
    200,
  ],
]
for (const [what, headers, status] of here) {
  test(`a request with ${what} is answered here`, async () => {
    const { granted, ask } = subject()
    const reply = await ask(headers)
    assert.is(reply.status, status)
    await readReply(reply)
    assert.equal(granted, [])
  })
}

test('conditions and ranges that fail are answered before a URL is signed', async () => {
  const { file, granted, ask } = subject()
  const unchanged = await ask({ 'If-None-Match': `"${file.id}"` })
  assert.is(unchanged.status, 304)
  assert.is((await refusal(ask({ 'If-Match': '"other"' }))).status, 412)
  assert.is((await refusal(ask({ Range: 'bytes=10-' }))).status, 416)
  assert.equal(granted, [])
  assert.is((await ask({ 'If-None-Match': '"other"' })).status, 302)
})

test('HEAD is never sent on', async () => {
  const { granted, ask } = subject()
  const reply = await ask({}, { method: 'HEAD' })
  assert.is(reply.status, 200)
  assert.is(reply.headers['Content-Length'], '10')
  assert.equal(granted, [])
})

test('an empty file is answered here', async () => {
  const { ask } = servedFile('')
  assert.is((await ask({}, { mayRedirect: true })).status, 200)
})

for (const contentType of ['text/html', 'image/svg+xml', 'text/javascript', 'text/css']) {
  test(`${contentType} is only sent with the headers of this server`, async () => {
    const { granted, ask } = subject({ contentType })
    const reply = await ask({}, { disposition: 'attachment' })
    assert.is(reply.status, 200)
    assert.is(reply.headers['X-Content-Type-Options'], 'nosniff')
    await readReply(reply)
    assert.equal(granted, [])
  })
}

test('what browsers only save is an attachment at the store, too', async () => {
  const { granted, ask } = subject({ contentType: 'application/zip' })
  assert.is((await ask({}, { disposition: 'inline' })).status, 302)
  assert.match(granted[0]?.contentDisposition ?? '', /^attachment;/)
})

test('a store that signs nothing serves through this server', async () => {
  const { store, ask } = subject()
  const reply = await ask({}, { store })
  assert.is(reply.status, 200)
  assert.is(String(await readReply(reply)), '0123456789')
})

test('a store that fails to sign serves through this server, and the reason is told', async () => {
  const { store, ask } = subject()
  const failures: unknown[] = []
  const signedUrl = async () => {
    throw new CarcosaError('CONFIG_INVALID')
  }
  const reply = await ask(
    {},
    { store: { ...store, signedUrl }, onSignFailure: (error) => failures.push(error) },
  )
  assert.is(reply.status, 200)
  assert.is(String(await readReply(reply)), '0123456789')
  assert.instance(failures[0], CarcosaError)
})

test('without the leave of its route no file is sent on', async () => {
  const { granted, ask } = subject()
  const reply = await ask({}, { mayRedirect: false })
  assert.is(reply.status, 200)
  await readReply(reply)
  assert.equal(granted, [])
})

test.run()
