import { validateHeaderValue } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FileRecord } from '../../../src/files/record.ts'
import type { Reply } from '../../../src/shared/reply.ts'
import { fileRecord } from '../../support/file-record.ts'
import { seededRandom } from '../../support/random.ts'
import { readReply, refusal, servedFile } from '../../support/served-file.ts'

const test = suite('files/serve')

const content = Buffer.from('0123456789')

const subject = (bytes: Buffer | string = content, overrides?: Partial<FileRecord>) =>
  servedFile(bytes, overrides)

const text = async (reply: Reply) => (await readReply(reply)).toString('latin1')

test('GET answers the whole file', async () => {
  const { file, ask } = subject()
  const reply = await ask()
  assert.is(reply.status, 200)
  assert.equal(reply.headers, {
    'Accept-Ranges': 'bytes',
    ETag: `"${file.id}"`,
    'Last-Modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
    'Cache-Control': 'private, no-cache',
    'Cross-Origin-Resource-Policy': 'same-site',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Disposition': 'inline; filename="file.bin"',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    'Content-Length': '10',
  })
  assert.equal(await readReply(reply), content)
})

test('HEAD answers the headers of GET and does not touch the store', async () => {
  const { store, ask } = subject()
  const get = await ask()
  store.objects.clear()
  const head = await ask({}, { method: 'HEAD' })
  assert.is(head.status, 200)
  assert.equal(head.headers, get.headers)
  assert.is(head.body, null)
  assert.is(store.opened.length, 1, 'only GET opened the file')
  await readReply(get)
})

test('HEAD ignores Range, which is defined for GET only', async () => {
  const { ask } = subject()
  for (const Range of ['bytes=0-1', 'bytes=99-', 'bytes=0-1,4-5']) {
    const reply = await ask({ Range }, { method: 'HEAD' })
    assert.is(reply.status, 200)
    assert.is(reply.headers['Content-Length'], '10')
  }
})

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'get']) {
  test(`${method} is METHOD_NOT_ALLOWED`, async () => {
    const error = await refusal(subject().ask({}, { method }))
    assert.is(error.code, 'METHOD_NOT_ALLOWED')
    assert.equal(error.headers, { Allow: 'GET, HEAD' })
  })
}

// Conditions

test('304 carries the validators, has no body and does not touch the store', async () => {
  const { file, store, ask } = subject()
  store.objects.clear()
  for (const method of ['GET', 'HEAD']) {
    const reply = await ask({ 'If-None-Match': `"${file.id}"` }, { method })
    assert.is(reply.status, 304)
    assert.is(reply.body, null)
    assert.equal(Object.keys(reply.headers).sort(), [
      'Accept-Ranges',
      'Cache-Control',
      'Cross-Origin-Resource-Policy',
      'ETag',
      'Last-Modified',
    ])
  }
})

test('the entity tag stays when the digest becomes known', async () => {
  const { file, ask } = subject()
  const before = await ask()
  const after = await ask({}, { file: { ...file, sha256: 'a'.repeat(64) } })
  assert.is(after.headers.ETag, before.headers.ETag)
  await Promise.all([readReply(before), readReply(after)])
})

test('a failed precondition is 412 and does not touch the store', async () => {
  const { store, ask } = subject()
  const error = await refusal(ask({ 'If-Match': '"other"', Range: 'bytes=99-' }))
  assert.is(error.code, 'PRECONDITION_FAILED')
  assert.is(error.status, 412)
  assert.is(store.opened.length, 0)
})

test('If-None-Match is answered before Range is looked at', async () => {
  const { file, ask } = subject()
  const reply = await ask({ 'If-None-Match': `"${file.id}"`, Range: 'bytes=99-' })
  assert.is(reply.status, 304)
})

const tag = fileRecord().id
const ifRange: [value: string, status: number][] = [
  [`"${tag}"`, 206],
  ['Fri, 02 Jan 2026 03:04:05 GMT', 206],
  [`W/"${tag}"`, 200],
  ['"other"', 200],
  ['Fri, 02 Jan 2026 03:04:06 GMT', 200],
]

for (const [value, status] of ifRange) {
  test(`If-Range: ${value} with a range is ${status}`, async () => {
    const reply = await subject().ask({ 'If-Range': value, Range: 'bytes=2-3' })
    assert.is(reply.status, status)
    assert.is(await text(reply), status === 206 ? '23' : '0123456789')
  })
}

test('If-Range that does not match turns an unsatisfiable range into the whole', async () => {
  const reply = await subject().ask({ 'If-Range': '"other"', Range: 'bytes=99-' })
  assert.is(reply.status, 200)
  assert.is(await text(reply), '0123456789')
})

// Ranges

const single: [range: string, contentRange: string, body: string][] = [
  ['bytes=0-0', 'bytes 0-0/10', '0'],
  ['bytes=2-5', 'bytes 2-5/10', '2345'],
  ['bytes=7-', 'bytes 7-9/10', '789'],
  ['bytes=-3', 'bytes 7-9/10', '789'],
  ['bytes=0-', 'bytes 0-9/10', '0123456789'],
  ['bytes=8-100', 'bytes 8-9/10', '89'],
  ['bytes=0-4,3-6', 'bytes 0-6/10', '0123456'],
]

for (const [range, contentRange, body] of single) {
  test(`${range} is one part, ${contentRange}`, async () => {
    const reply = await subject().ask({ Range: range })
    assert.is(reply.status, 206)
    assert.is(reply.headers['Content-Range'], contentRange)
    assert.is(reply.headers['Content-Length'], String(body.length))
    assert.is(reply.headers['Content-Type'], 'text/plain; charset=utf-8')
    assert.is(await text(reply), body)
  })
}

for (const range of ['bytes=10-', 'bytes=-0', 'bytes=99-100,200-']) {
  test(`${range} is 416 and says how long the file is`, async () => {
    const { store, ask } = subject()
    const error = await refusal(ask({ Range: range }))
    assert.is(error.code, 'RANGE_NOT_SATISFIABLE')
    assert.is(error.status, 416)
    assert.is(error.headers['Content-Range'], 'bytes */10')
    assert.is(store.opened.length, 0)
  })
}

test('a malformed range is ignored', async () => {
  const reply = await subject().ask({ Range: 'bytes=five-' })
  assert.is(reply.status, 200)
  assert.is(await text(reply), '0123456789')
})

test('several ranges are multipart/byteranges, in the order asked', async () => {
  const reply = await subject().ask({ Range: 'bytes=6-7,0-1,-1' })
  assert.is(reply.status, 206)
  assert.is(reply.headers['Content-Range'], undefined)
  const [, boundary] =
    /^multipart\/byteranges; boundary=([\w-]{24})$/.exec(
      reply.headers['Content-Type'] ?? '',
    ) ?? []
  const body = await text(reply)
  assert.is(reply.headers['Content-Length'], String(body.length))
  assert.is(
    body,
    [
      `--${boundary}`,
      'Content-Type: text/plain; charset=utf-8',
      'Content-Range: bytes 6-7/10',
      '',
      '67',
      `--${boundary}`,
      'Content-Type: text/plain; charset=utf-8',
      'Content-Range: bytes 0-1/10',
      '',
      '01',
      `--${boundary}`,
      'Content-Type: text/plain; charset=utf-8',
      'Content-Range: bytes 9-9/10',
      '',
      '9',
      `--${boundary}--`,
      '',
    ].join('\r\n'),
  )
})

test('ten thousand overlapping ranges yield the file once', async () => {
  const range = `bytes=${Array.from({ length: 10_000 }, () => '0-').join(',')}`
  const reply = await subject().ask({ Range: range })
  assert.is(await text(reply), '0123456789')
})

test('random ranges of a large file yield exactly the bytes of a slice', async () => {
  const seed = 7
  const random = seededRandom(seed)
  const bytes = Buffer.from(Array.from({ length: 100_003 }, () => random() * 256))
  const { ask } = subject(bytes)
  for (let round = 0; round < 60; round++) {
    const specs = Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
      const first = Math.floor(random() * bytes.length)
      return `${first}-${first + Math.floor(random() ** 3 * bytes.length)}`
    })
    const range = `bytes=${specs.join(',')}`
    const context = `seed ${seed}, round ${round}: ${range}`
    const reply = await ask({ Range: range })
    const body = await readReply(reply)
    assert.is(reply.status, 206, context)
    assert.is(reply.headers['Content-Length'], String(body.length), context)
    for (const [contentRange, part] of partsOf(reply, body)) {
      const [, first, last] = /^bytes (\d+)-(\d+)\/100003$/.exec(contentRange) ?? []
      const expected = bytes.subarray(Number(first), Number(last) + 1)
      assert.ok(part.equals(expected), context)
    }
  }
})

// Empty files

test('an empty file is 200 with or without a range', async () => {
  for (const Range of ['', 'bytes=0-', 'bytes=-5']) {
    const { store, ask } = subject('')
    const reply = await ask({ Range })
    assert.is(reply.status, 200)
    assert.is(reply.headers['Content-Length'], '0')
    assert.is(await text(reply), '')
    assert.is(store.opened.length, 0)
  }
})

// Safe headers (SEC-4, SEC-19)

test('a signed disposition wins over that of the file', async () => {
  const { ask } = subject()
  const reply = await ask({}, { method: 'HEAD', disposition: 'attachment' })
  assert.is(reply.headers['Content-Disposition'], 'attachment; filename="file.bin"')
})

test('a page of HTML is a download even if inline was signed', async () => {
  const { ask } = subject('<script>', { contentType: 'TEXT/HTML' })
  const reply = await ask({}, { method: 'HEAD', disposition: 'inline' })
  assert.match(reply.headers['Content-Disposition'] ?? '', /^attachment;/)
  assert.match(
    reply.headers['Content-Security-Policy'] ?? '',
    /^sandbox; default-src 'none'/,
  )
})

test('every header is one that Node and the web accept, whatever the record says', async () => {
  const nasty = [
    'a\r\nSet-Cookie: x=1',
    '"\\',
    '\uD800\0\u202E',
    '日本😀',
    'é'.repeat(4096),
  ]
  for (const name of nasty) {
    const { ask } = subject(content, { filename: name, contentType: name })
    for (const Range of ['', 'bytes=0-1', 'bytes=0-1,4-5']) {
      const reply = await ask({ Range })
      for (const [header, value] of Object.entries(reply.headers)) {
        validateHeaderValue(header, value)
        assert.match(value, /^[ -~]+$/)
      }
      assert.is(new Headers(reply.headers).get('set-cookie'), null)
      await readReply(reply)
    }
  }
})

test('an unfinished file is a mistake of the program', async () => {
  const error = await subject(content, { size: null })
    .ask()
    .catch((reason) => reason)
  assert.instance(error, TypeError)
})

/** Content-Range and bytes of each part, read the way a client would. */
function partsOf(reply: Reply, body: Buffer): [contentRange: string, bytes: Buffer][] {
  const only = reply.headers['Content-Range']
  if (only !== undefined) return [[only, body]]
  const boundary = reply.headers['Content-Type']?.split('boundary=')[1]
  const parts = body.toString('latin1').split(`--${boundary}`)
  assert.is(parts.shift(), '')
  assert.is(parts.pop(), '--\r\n')
  return parts.map((part) => {
    const end = part.indexOf('\r\n\r\n')
    const contentRange = /Content-Range: (.+)/.exec(part.slice(0, end))?.[1] ?? ''
    return [contentRange.trim(), Buffer.from(part.slice(end + 4, -2), 'latin1')]
  })
}

test.run()
