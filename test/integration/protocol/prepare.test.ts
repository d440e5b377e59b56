/** `POST /uploads/:route/prepare`: a batch is judged before a byte is sent. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { createRouter, route } from '../../../src/index.ts'
import type { Answered, Asked } from '../../support/exchange.ts'
import { chunk, openRaw } from '../../support/raw-http.ts'
import { created, expectAnswer, metadataHeader, patch } from '../../support/records.ts'
import { type Door, doors, startServer, type TestServer } from '../../support/server.ts'

let calls = 0
const router = createRouter({
  demo: route({
    blob: { maxFileSize: '1KB', maxFileCount: 2, acl: 'public-read' },
  }).public(),
  pictures: route({ image: { maxFileSize: '1KB', maxFileCount: 3 } }).public(),
  mine: route({ blob: { maxFileSize: '1KB' } }),
  album: route({ blob: { maxFileSize: '1KB', maxFileCount: 3 } })
    .public()
    .input(z.object({ album: z.string() }))
    .middleware(({ input, files }) => {
      calls++
      return { album: input.album, asked: files.length }
    })
    .onUploadComplete(({ metadata }) => metadata),
  brief: route({ blob: { maxFileSize: '1KB' } }, { ticketTTL: 1 }).public(),
})

const test = suite('protocol/prepare')
let server: TestServer
test.before(async () => {
  server = await startServer({ router })
})
test.after(() => server.close())

interface Verdict {
  batchId: string
  expiresAt: string
  errors: { code: string }[]
  files: { name: string; ticket?: string; error?: { code: string } }[]
}

const json = { 'Tus-Resumable': null, 'Content-Type': 'application/json' }

async function prepare(
  door: Door,
  name: string,
  body: unknown,
  headers: Asked['headers'] = {},
): Promise<Answered & { verdict: Verdict }> {
  const answer = await server.doors[door]({
    method: 'POST',
    path: `/uploads/${name}/prepare`,
    headers: { ...json, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  // What the contract of the route promises; the tests look at each part.
  const verdict = () => answer.json() as unknown as Verdict
  return Object.defineProperty(answer, 'verdict', { get: verdict }) as Answered & {
    verdict: Verdict
  }
}

const file = (name: string, size = 10, type = '') => ({ name, size, type })

for (const door of doors) {
  const send = (path: string, headers: Record<string, string>) =>
    server.doors[door]({ method: 'POST', path, headers })

  test(`each file of a good batch gets a ticket of its own (${door})`, async () => {
    const answer = await prepare(door, 'demo', { files: [file('a'), file('b')] })
    expectAnswer(answer, { status: 200, headers: { 'Cache-Control': 'no-store' } })
    const { batchId, expiresAt, errors, files } = answer.verdict
    assert.match(batchId, /^[\w-]{22,}$/)
    assert.ok(Date.parse(expiresAt) > Date.now())
    assert.equal(errors, [])
    assert.equal(
      files.map(({ name }) => name),
      ['a', 'b'],
    )
    assert.is(new Set(files.map(({ ticket }) => ticket)).size, 2)
  })

  test(`a file that is refused does not keep the others from their tickets (${door})`, async () => {
    const { verdict } = await prepare(door, 'pictures', {
      files: [
        file('a.png', 10, 'image/png'),
        file('b.txt', 10, 'text/plain'),
        file('c.png', 5_000, 'image/png'),
      ],
    })
    assert.equal(
      verdict.files.map(({ ticket, error }) => error?.code ?? typeof ticket),
      ['string', 'TYPE_NOT_ALLOWED', 'FILE_TOO_LARGE'],
    )
  })

  test(`a batch that is refused as a whole gets no ticket (${door})`, async () => {
    const { verdict } = await prepare(door, 'demo', {
      files: [file('a'), file('b'), file('c')],
    })
    assert.equal(
      verdict.errors.map(({ code }) => code),
      ['TOO_MANY_FILES'],
    )
    assert.ok(verdict.files.every(({ ticket }) => ticket === undefined))
  })

  test(`a ticket creates its upload once; the same request again answers the same (${door})`, async () => {
    const { verdict } = await prepare(door, 'demo', { files: [file('a.bin')] })
    const headers = {
      'Upload-Length': '10',
      'Upload-Ticket': verdict.files[0]?.ticket ?? '',
    }
    const first = await send('/uploads/demo', headers)
    const second = await send('/uploads/demo', headers)
    assert.is(first.status, 201)
    assert.is(second.status, 201)
    assert.is(second.headers.location, first.headers.location)
    const row = await server.row(first.headers.location ?? '')
    assert.is(row.filename, 'a.bin')
    assert.is(row.batchId, verdict.batchId)
  })

  test(`a repeated creation tells where the upload stands and writes nothing (${door})`, async () => {
    const { verdict } = await prepare(door, 'demo', { files: [file('a.bin')] })
    const headers = { 'Upload-Ticket': verdict.files[0]?.ticket ?? '' }
    const url = await created(server.doors[door], { bytes: 'hello', headers })
    const again = await server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: {
        ...headers,
        'Upload-Length': '10',
        'Content-Type': 'application/offset+octet-stream',
      },
      body: 'HELLO',
    })
    expectAnswer(again, {
      status: 201,
      headers: { Location: url, 'Upload-Offset': '5' },
    })
    await patch(server.doors[door], url, { offset: 5, body: 'world', headers })
    const got = await server.doors[door]({
      method: 'GET',
      path: url.replace('/uploads/demo/', '/files/'),
    })
    assert.is(got.text, 'helloworld')
  })

  test(`what the middleware returned reaches the callback, without running it again (${door})`, async () => {
    calls = 0
    const { verdict } = await prepare(door, 'album', {
      files: [file('a'), file('b')],
      input: { album: 'summer' },
    })
    const url = await created(server.doors[door], {
      route: 'album',
      bytes: 'helloworld',
      headers: { 'Upload-Ticket': verdict.files[1]?.ticket ?? '' },
    })
    const status = await server.doors[door]({ method: 'GET', path: `${url}?wait=10` })
    assert.equal(status.json().serverData, { album: 'summer', asked: 2 })
    assert.is(calls, 1)
  })

  test(`a client without a ticket is judged the same at POST (${door})`, async () => {
    const metadata = (input: string) => ({
      'Upload-Length': '10',
      'Upload-Metadata': metadataHeader({ filename: 'a', input }),
    })
    assert.is((await send('/uploads/album', metadata('{"album":"x"}'))).status, 201)
    for (const input of ['{"album":1}', '{}', 'null', 'no JSON']) {
      const answer = await send('/uploads/album', metadata(input))
      expectAnswer(answer, { status: 400, code: 'INPUT_INVALID' })
    }
  })

  test(`an input that does not fit is refused with what is wrong (${door})`, async () => {
    const answer = await prepare(door, 'album', { files: [file('a')], input: {} })
    expectAnswer(answer, { status: 400, code: 'INPUT_INVALID' })
  })

  test(`a private route asks who it is (${door})`, async () => {
    const stranger = await prepare(door, 'mine', { files: [file('a')] })
    expectAnswer(stranger, {
      status: 401,
      code: 'UNAUTHENTICATED',
      headers: { 'WWW-Authenticate': /Bearer/ },
    })
    const ann = { Authorization: 'Bearer ann' }
    const answer = await prepare(door, 'mine', { files: [file('a')] }, ann)
    const ticket = answer.verdict.files[0]?.ticket ?? ''
    // The ticket alone is enough from here on.
    const url = await created(server.doors[door], {
      route: 'mine',
      bytes: 'hello',
      headers: { 'Upload-Ticket': ticket },
    })
    assert.is((await server.row(url)).ownerId, 'ann')
  })

  const tickets: [what: string, change: (ticket: string) => string][] = [
    ['that is nonsense', () => 'nonsense'],
    ['that is empty', () => ''],
    ['that was cut', (ticket) => ticket.slice(0, -2)],
    [
      'that was changed',
      (ticket) =>
        ticket.replace(
          /.(.{10})$/,
          (_, end) => `${ticket.at(-11) === 'A' ? 'B' : 'A'}${end}`,
        ),
    ],
  ]
  for (const [what, change] of tickets) {
    test(`a ticket ${what} is refused (${door})`, async () => {
      const { verdict } = await prepare(door, 'demo', { files: [file('a')] })
      const ticket = change(verdict.files[0]?.ticket ?? '')
      const headers = { 'Upload-Length': '10', 'Upload-Ticket': ticket }
      expectAnswer(await send('/uploads/demo', headers), {
        status: 403,
        code: 'TICKET_INVALID',
        headers: { Location: null },
      })
    })
  }

  test(`a ticket is for its route and its size (${door})`, async () => {
    const { verdict } = await prepare(door, 'demo', { files: [file('a')] })
    const ticket = { 'Upload-Ticket': verdict.files[0]?.ticket ?? '' }
    const refused = { status: 403, code: 'TICKET_INVALID' } as const
    expectAnswer(
      await send('/uploads/demo', { ...ticket, 'Upload-Length': '11' }),
      refused,
    )
    expectAnswer(
      await send('/uploads/album', { ...ticket, 'Upload-Length': '10' }),
      refused,
    )
    expectAnswer(
      await send('/uploads/demo', { ...ticket, 'Upload-Defer-Length': '1' }),
      refused,
    )
  })

  test(`a ticket whose time is over creates nothing (${door})`, async () => {
    const { verdict } = await prepare(door, 'brief', { files: [file('a')] })
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const headers = {
      'Upload-Length': '10',
      'Upload-Ticket': verdict.files[0]?.ticket ?? '',
    }
    expectAnswer(await send('/uploads/brief', headers), {
      status: 403,
      code: 'TICKET_INVALID',
    })
  })

  const bodies: [what: string, body: unknown][] = [
    ['no JSON', '{'],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', []],
    ['no files', {}],
    ['an empty batch', { files: [] }],
    ['files that are no list', { files: {} }],
    ['a file that is text', { files: ['a'] }],
    ['a file without a name', { files: [{ size: 1, type: '' }] }],
    ['a size below zero', { files: [{ name: 'a', size: -1 }] }],
    ['a size that is text', { files: [{ name: 'a', size: '1' }] }],
    ['a size beyond integers', '{"files":[{"name":"a","size":1e21}]}'],
    ['a type that is a number', { files: [{ name: 'a', size: 1, type: 1 }] }],
    ['1001 files', { files: Array.from({ length: 1001 }, () => file('a')) }],
    ['more than a mebibyte', { files: [file('a')], input: 'x'.repeat(1024 * 1024) }],
  ]
  for (const [what, body] of bodies) {
    test(`a body that is ${what} is refused (${door})`, async () => {
      const answer = await prepare(door, 'demo', body)
      expectAnswer(answer, { status: 400, code: 'BAD_REQUEST' })
    })
  }

  for (const type of ['text/plain', 'application/x-www-form-urlencoded', null]) {
    test(`a body of type ${type} is refused, as a page could send it for others (${door})`, async () => {
      const answer = await prepare(
        door,
        'demo',
        { files: [file('a')] },
        { 'Content-Type': type },
      )
      expectAnswer(answer, { status: 415, code: 'CONTENT_TYPE_UNSUPPORTED' })
    })
  }

  test(`only POST prepares (${door})`, async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await server.doors[door]({ method, path: '/uploads/demo/prepare' })
      expectAnswer(answer, {
        status: 405,
        code: 'METHOD_NOT_ALLOWED',
        headers: { Allow: /POST/ },
      })
    }
  })

  test(`__proto__ in a body pollutes nothing (${door})`, async () => {
    const body =
      '{"__proto__":{"polluted":1},"files":[{"name":"a","size":1,"type":"","__proto__":{"polluted":1}}],"input":{"__proto__":{"polluted":1},"album":"x"}}'
    assert.is((await prepare(door, 'album', body)).status, 200)
    assert.is(Reflect.get({}, 'polluted'), undefined)
  })
}

test('a body that never ends is refused while it is still sent', async () => {
  const raw = await openRaw(server.port)
  raw.ask('POST', '/uploads/demo/prepare', {
    'Content-Type': 'application/json',
    'Transfer-Encoding': 'chunked',
  })
  raw.write(chunk(Buffer.alloc(1024 * 1024 + 1, ' ')))
  const answer = await raw.answer()
  assert.is(answer.status, 400)
  assert.is(JSON.parse(answer.body).code, 'BAD_REQUEST')
  raw.cut()
})

test.run()
