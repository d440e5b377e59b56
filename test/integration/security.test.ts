/** Attacks through the front door: rows SEC. Those of signed URLs: security-urls.test.ts. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newId } from '../../src/shared/ids.ts'
import type { Answered } from '../support/exchange.ts'
import { openRaw } from '../support/raw-http.ts'
import {
  created,
  expectAnswer,
  metadataHeader,
  offsetOf,
  offsetStream,
  patch,
} from '../support/records.ts'
import { doors, maxSize, startServer, type TestServer } from '../support/server.ts'

const test = suite('security')
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after(() => server.close())

const ann = { Authorization: 'Bearer ann' }
const bob = { Authorization: 'Bearer bob' }
const unknownId = 'AAAAAAAAAAAAAAAAAAAAAAAA'

// SEC-1

const paths = [
  '..%2fcanary',
  '%2e%2e%2fcanary',
  '..%5ccanary',
  '%252e%252e%252fcanary',
  '.',
  '..',
  '%2e',
  '%2e%2e',
  '../../canary',
  '....//canary',
  '%00',
  'a%00b',
  'x'.repeat(300),
  'con',
  '%ef%bc%8e%ef%bc%8e%ef%bc%8fcanary',
  '%c0%ae%c0%ae%c0%afcanary',
  '%',
  '%zz',
  `${unknownId}.json`,
  `${unknownId}%00`,
  `..%2f${unknownId}`,
]
const verbs: [method: string, root: string][] = [
  ['HEAD', '/uploads/demo'],
  ['PATCH', '/uploads/demo'],
  ['DELETE', '/uploads/demo'],
  ['GET', '/uploads/demo'],
  ['GET', '/files'],
]

for (const door of doors) {
  for (const [method, root] of verbs) {
    test(`SEC-1: ${method} ${root} does not leave its directory (${door})`, async () => {
      const canary = join(server.dataDir, 'canary')
      mkdirSync(join(server.dataDir, 'files'), { recursive: true })
      writeFileSync(canary, 'alive')
      for (const path of paths) {
        const answer = await server.doors[door]({
          method,
          path: `${root}/${path}`,
          ...(method === 'PATCH' && {
            headers: { 'Upload-Offset': '0', 'Content-Type': offsetStream },
            body: 'dead',
          }),
        })
        assert.ok([404, 405].includes(answer.status), `${path}: ${answer.status}`)
        assert.not.match(answer.text, 'alive')
        assert.is(readFileSync(canary, 'utf8'), 'alive')
      }
    })
  }
}

test('SEC-1: dots on the wire are not resolved', async () => {
  const raw = await openRaw(server.port)
  raw.ask('GET', '/uploads/demo/../../files/../../canary')
  const answer = await raw.answer()
  assert.is(answer.status, 404)
  raw.cut()
})

// SEC-3 and SEC-4

const names: [what: string, name: string][] = [
  ['a path up', '../../x'],
  ['a path of Windows', 'C:\\x\\y.txt'],
  ['a path', 'a/b'],
  ['a hidden file', '.htaccess'],
  ['a NUL', 'x\0.png'],
  ['4 KiB', 'n'.repeat(4096)],
  ['marks that turn text around', 'gpj\u202e.exe'],
  ['a dot at the end', 'x.'],
  ['nothing but dots', '..'],
  ['a line break', 'a\r\nSet-Cookie: x=1'],
  ['quote and backslash', '"\\"; x="y'],
  ['an emoji', '🦊.png'],
  ['Japanese', '日本.txt'],
  ['half an emoji', '\ud83e.png'],
  ['the way out of an extended value', "a'*%00.txt"],
  ['script', '<script>alert(1)</script>.html'],
]

for (const door of doors) {
  for (const [what, name] of names) {
    test(`SEC-3 SEC-4: a name with ${what} names nothing and adds no header (${door})`, async () => {
      const exchange = server.doors[door]
      const url = await created(exchange, {
        length: 5,
        bytes: 'hello',
        headers: { 'Upload-Metadata': metadataHeader({ filename: name }) },
      })
      const { id, key, filename } = await server.row(url)
      assert.is(key, id, 'the key is not made from the name')
      assert.ok(filename)
      const file = await exchange({ method: 'GET', path: `/files/${id}` })
      assert.is(file.status, 200)
      assert.is(file.text, 'hello')
      assert.is(file.headers['set-cookie'], undefined)
      const disposition = file.headers['content-disposition'] ?? ''
      assert.match(
        disposition,
        /^(inline|attachment); filename="[^"\\/\x7f-\uffff]*"(; filename\*=UTF-8''[\w!#$&+.^`|~%-]*)?$/,
      )
      assert.not.match(disposition, /%0[0-9a-f]|%2f|%5c|%e2%80%ae/i)
    })
  }
}

// SEC-5

const poison: Record<string, string>[] = [
  { Host: 'evil.example' },
  { Host: 'evil.example/x?' },
  { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'gopher' },
  { Forwarded: 'host=evil.example;proto=https' },
  { 'X-Forwarded-Prefix': '//evil.example', 'X-Original-URL': '/evil.example' },
]
for (const headers of poison) {
  test(`SEC-5: ${JSON.stringify(headers)} reaches no URL that we tell`, async () => {
    const raw = await openRaw(server.port)
    raw.ask('POST', '/uploads/demo', {
      ...headers,
      'Upload-Length': '1',
      'Content-Type': offsetStream,
      'Content-Length': '1',
    })
    raw.write('x')
    const answer = await raw.answer()
    assert.is(answer.status, 201)
    const location = answer.headers.location ?? ''
    assert.match(location, /^\/uploads\/demo\/[\w-]{24}$/)
    raw.ask('GET', location, headers)
    const status = await raw.answer()
    assert.is(status.status, 200)
    assert.match(JSON.parse(status.body).url, /^\/files\/[\w-]{24}$/)
    raw.cut()
  })
}

test('SEC-5: two slashes in front of a path are no host', async () => {
  const exchange = server.doors.http
  const answer = await exchange({
    method: 'POST',
    path: '//evil.example/uploads/demo',
    headers: { 'Upload-Length': '1' },
  })
  assert.is(answer.status, 404)
  const own = await exchange({
    method: 'POST',
    path: '//uploads/demo',
    headers: { 'Upload-Length': '1' },
  })
  assert.match(own.headers.location ?? '', /^\/uploads\/demo\//)
})

// SEC-6

/** What an answer tells, apart from what is new in every answer. */
function told({ status, headers, text }: Answered) {
  const { date, 'content-length': _, 'x-request-id': __, ...rest } = headers
  const body = text.replace(/"requestId":"[^"]*"/, '')
  return { status, headers: rest, body }
}

const strangers: [who: string, headers: Record<string, string>][] = [
  ['nobody', {}],
  ['another user', bob],
  ['a user whose token has expired', { Authorization: 'Bearer expired' }],
  ['a ticket that is none', { 'Upload-Ticket': 'x' }],
  ['a ticket that is none and another user', { ...bob, 'Upload-Ticket': 'x' }],
]

for (const door of doors) {
  for (const [who, headers] of strangers) {
    for (const method of ['HEAD', 'PATCH', 'DELETE', 'GET']) {
      test(`SEC-6: to ${who} ${method} of an upload of Ann looks like an unknown one (${door})`, async () => {
        const exchange = server.doors[door]
        const url = await created(exchange, {
          route: 'mine',
          bytes: 'hello',
          headers: ann,
        })
        const ask = (path: string) =>
          exchange({
            method,
            path,
            headers: {
              ...headers,
              ...(method === 'PATCH' && {
                'Upload-Offset': '5',
                'Content-Type': offsetStream,
              }),
            },
            ...(method === 'PATCH' && { body: 'world' }),
          })
        const answer = await ask(url)
        assert.ok([401, 403, 404].includes(answer.status), String(answer.status))
        const unknown = await ask(`/uploads/mine/${unknownId}`)
        assert.equal(told(answer), told(unknown))
        assert.is(await offsetOf(exchange, url, ann), 5)
      })
    }

    test(`SEC-6: to ${who} a finished file of Ann looks like an unknown one (${door})`, async () => {
      const exchange = server.doors[door]
      const url = await created(exchange, {
        route: 'mine',
        bytes: 'helloworld',
        headers: ann,
      })
      const { id } = await server.row(url)
      const answer = await exchange({ method: 'GET', path: `/files/${id}`, headers })
      const unknown = await exchange({
        method: 'GET',
        path: `/files/${unknownId}`,
        headers,
      })
      assert.ok([401, 403, 404].includes(answer.status), String(answer.status))
      assert.equal(told(answer), told(unknown))
    })
  }
}

test('SEC-6: the ticket of one file of a batch does not open another', async () => {
  const exchange = server.doors.http
  const prepared = await exchange({
    method: 'POST',
    path: '/uploads/mine/prepare',
    headers: { ...ann, 'Content-Type': 'application/json' },
    body: JSON.stringify({ files: [{ name: 'a', size: 10, type: '' }] }),
  })
  const other = await exchange({
    method: 'POST',
    path: '/uploads/mine/prepare',
    headers: { ...ann, 'Content-Type': 'application/json' },
    body: JSON.stringify({ files: [{ name: 'b', size: 10, type: '' }] }),
  })
  const ticketOf = ({ json }: Answered) =>
    (json().files as { ticket: string }[])[0]?.ticket ?? ''
  const headers = { 'Upload-Ticket': ticketOf(prepared) }
  const url = await created(exchange, { route: 'mine', headers })
  assert.is(await offsetOf(exchange, url, headers), 0)
  const foreign = await exchange({
    method: 'HEAD',
    path: url,
    headers: { 'Upload-Ticket': ticketOf(other) },
  })
  assert.is(foreign.status, 404)
})

test('SEC-6: a stranger does not disturb an upload that is under way', async () => {
  const url = await created(server.doors.http, {
    route: 'mine',
    length: 10,
    headers: ann,
  })
  const raw = await openRaw(server.port)
  raw.ask('PATCH', url, {
    ...ann,
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': '10',
  })
  raw.write('hello')
  await wait(50)
  for (const method of ['HEAD', 'DELETE']) {
    const answer = await server.doors.http({ method, path: url, headers: bob })
    assert.is(answer.status, 404)
  }
  await wait(50)
  raw.write('world')
  const answer = await raw.answer()
  assert.is(answer.status, 204)
  assert.is(answer.headers['upload-offset'], '10', 'it was not cut short')
  raw.cut()
})

// SEC-7

test('SEC-7: ids are 144 random bits without a time in front', () => {
  const ids = Array.from({ length: 10_000 }, newId)
  assert.is(new Set(ids).size, ids.length)
  assert.ok(ids.every((id) => /^[\w-]{24}$/.test(id)))
  // Every place takes every character about equally often: 156 of 10,000, sigma 12.4.
  for (let place = 0; place < 24; place++) {
    const counts = new Map<string, number>()
    for (const id of ids) {
      const character = id[place] ?? ''
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
    assert.is(counts.size, 64, `place ${place}`)
    for (const [character, count] of counts) {
      assert.ok(count > 80 && count < 240, `${character} at ${place}: ${count}`)
    }
  }
})

// SEC-9

const framings: [what: string, headers: Record<string, string>][] = [
  ['a length and chunks', { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }],
  ['two lengths', { 'Content-Length': '5\r\nContent-Length: 6' }],
  ['chunks that are not last', { 'Transfer-Encoding': 'chunked, identity' }],
  ['a length with a sign', { 'Content-Length': '+5' }],
  ['a length that is none', { 'Content-Length': 'x' }],
  ['a folded header', { 'Content-Length': '5', 'X-Folded': 'a\r\n b' }],
]
for (const [what, headers] of framings) {
  test(`SEC-9 SEC-10: ${what} is refused and the connection ends`, async () => {
    const url = await created(server.doors.http, { length: 100 })
    const raw = await openRaw(server.port)
    raw.ask('PATCH', url, {
      'Upload-Offset': '0',
      'Content-Type': offsetStream,
      ...headers,
    })
    raw.write('5\r\nhello\r\n0\r\n\r\n')
    const answer = await raw.answer()
    assert.is(answer.status, 400)
    await raw.closed
    assert.is(await offsetOf(server.doors.http, url), 0)
  })
}

test('SEC-9: what is stored is never more than was declared', async () => {
  for (const body of [Buffer.alloc(11), [Buffer.alloc(11)], [Buffer.alloc(10), 'x']]) {
    const url = await created(server.doors.http, { length: 10 })
    const answer = await patch(server.doors.http, url, { offset: 0, body })
    assert.is(answer.status, 413)
    const { key } = await server.row(url)
    const held = await server.uploads.stores.get('default')?.stat(key)
    assert.ok((held?.size ?? 0) <= 10)
  }
})

// SEC-12

test('SEC-12 P6: a hundred HEADs of a stalled upload are answered soon and cost no CPU', async () => {
  const url = await created(server.doors.http, { length: 100 })
  const raw = await openRaw(server.port)
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': '100',
  })
  raw.write('hello')
  await wait(100)
  const started = Date.now()
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => server.doors.http({ method: 'HEAD', path: url })),
  )
  const took = Date.now() - started
  assert.ok(took < 3_000, `${took} ms`)
  for (const { status, headers } of answers) {
    assert.ok(status === 200 || status === 423, String(status))
    if (status === 200) assert.is(headers['upload-offset'], '5')
    else assert.ok(headers['retry-after'])
  }
  raw.cut()
})

test('SEC-12 P6: who waits for a live writer does not use the CPU', async () => {
  const url = await created(server.doors.http, { length: 1_000 })
  const raw = await openRaw(server.port)
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': '1000',
  })
  raw.write('x')
  await wait(100)
  const waiting = Array.from({ length: 20 }, () =>
    patch(server.doors.http, url, { offset: 0, body: 'y' }),
  )
  await wait(200)
  const before = process.cpuUsage()
  const started = Date.now()
  for (let i = 0; i < 5; i++) {
    await wait(300)
    raw.write('x')
  }
  const { user, system } = process.cpuUsage(before)
  const share = (user + system) / 1_000 / (Date.now() - started)
  assert.ok(share < 0.2, `${Math.round(share * 100)} % of a core`)
  raw.cut()
  const answers = await Promise.all(waiting)
  assert.ok(answers.every(({ status }) => status === 409))
})

// SEC-15 and SEC-16

for (const door of doors) {
  const send = (metadata: string) =>
    server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: { 'Upload-Length': '1', 'Upload-Metadata': metadata },
    })

  test(`SEC-15: a thousand keys of metadata are refused (${door})`, async () => {
    const keys = Array.from({ length: 1_000 }, (_, i) => `k${i}`)
    expectAnswer(await send(keys.join(',')), { status: 400, code: 'METADATA_INVALID' })
  })

  test(`SEC-15: 12 KiB of metadata are refused (${door})`, async () => {
    const answer = await send(metadataHeader({ k: 'x'.repeat(9 * 1024) }))
    expectAnswer(answer, { status: 400, code: 'METADATA_INVALID' })
  })

  for (const key of [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
  ]) {
    test(`SEC-16: the metadata key ${key} is a key like any other (${door})`, async () => {
      const answer = await send(metadataHeader({ [key]: '{"polluted":1}' }))
      expectAnswer(answer, { status: 201 })
      assert.is(Reflect.get({}, 'polluted'), undefined)
    })

    test(`SEC-16: the route ${key} does not exist (${door})`, async () => {
      const answer = await server.doors[door]({
        method: 'POST',
        path: `/uploads/${key}`,
        headers: { 'Upload-Length': '1' },
      })
      expectAnswer(answer, { status: 404, code: 'ROUTE_NOT_FOUND' })
    })
  }
}

test('SEC-15: 64 KiB of headers are refused by Node before us', async () => {
  const raw = await openRaw(server.port)
  raw.ask('POST', '/uploads/demo', {
    'Upload-Length': '1',
    'Upload-Metadata': metadataHeader({ k: 'x'.repeat(64 * 1024) }),
  })
  assert.is((await raw.answer()).status, 431)
  raw.cut()
})

test('SEC-9: more than the route takes is never stored, however it is sent', async () => {
  const url = await created(server.doors.http, { length: null })
  const body = [Buffer.alloc(maxSize), Buffer.alloc(1)]
  await patch(server.doors.http, url, { offset: 0, body })
  const { key } = await server.row(url)
  const held = await server.uploads.stores.get('default')?.stat(key)
  assert.ok((held?.size ?? 0) <= maxSize)
})

test.run()
