/** What the API from elsewhere does when things go wrong on the way. */
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError, createRemoteApi } from '../../../src/remote/remote.ts'
import { refusal } from '../../support/remote/scenes.ts'
import { openStages } from '../../support/remote/stage.ts'

const test = suite('the API from elsewhere, on bad roads')
const { world, by } = await openStages()
const { carcosa, port } = world.server
const local = carcosa.api
test.after(() => world.server.close())

const url = `http://127.0.0.1:${port}`
const apiKey = (await world.as()).Authorization.slice('Bearer '.length)

interface Sent {
  method: string
  path: string
  headers: Headers
}

/** A network of which each request goes through `way`, which may lose it or its answer. */
function over(
  way: (sent: Sent, go: () => Promise<Response>, count: number) => Promise<Response>,
  options = {},
) {
  const sent: Sent[] = []
  const network: typeof fetch = (target, init) => {
    const { pathname: path, search } = new URL(String(target))
    const headers = new Headers(init?.headers)
    const one = { method: init?.method ?? 'GET', path: path + search, headers }
    sent.push(one)
    return way(one, () => fetch(target, init), sent.length)
  }
  return { sent, api: createRemoteApi({ url, apiKey, fetch: network, ...options }) }
}

async function lost(answer: Promise<Response>): Promise<never> {
  await (await answer).arrayBuffer()
  throw new TypeError('fetch failed')
}

const codeOf = async (call: Promise<unknown>) => {
  const error = await refusal(call)
  assert.instance(error, CarcosaError)
  return (error as CarcosaError).code
}

test('a POST whose answer was lost is sent again with its key, and done once', async () => {
  const { api, sent } = over((_, go, count) => (count === 1 ? lost(go()) : go()))
  const made = await api.keys.create({ name: 'once' })
  assert.is(sent.length, 2)
  const keys = sent.map(({ headers }) => headers.get('idempotency-key'))
  assert.ok(keys[0] && keys[0].length >= 32)
  assert.is(keys[0], keys[1])
  const { keys: all } = await local.keys.list({ limit: 500 })
  assert.equal(
    all.filter(({ name }) => name === 'once').map(({ id }) => id),
    [made.id],
  )
})

test('a PATCH whose answer was lost is not sent again', async () => {
  const { api, sent } = over((_, go) => lost(go()))
  assert.is(await codeOf(api.files.rename(await world.file(), 'b.txt')), 'NETWORK')
  assert.is(sent.length, 1)
})

test('a deletion whose answer was lost was done', async () => {
  const { api, sent } = over((_, go, count) => (count === 1 ? lost(go()) : go()))
  assert.is(await api.files.delete(await world.file()), true)
  assert.is(sent.length, 2)
})

test('who is told when to come back comes back then', async () => {
  const busy = () => new Response('', { status: 429, headers: { 'Retry-After': '2' } })
  const { api, sent } = over(async (_, go, count) => (count === 1 ? busy() : go()))
  const before = Date.now()
  assert.ok(await api.me.get())
  assert.ok(Date.now() - before >= 1_990)
  assert.is(sent.length, 2)
})

test('what the server refuses is not sent again', async () => {
  const { api, sent } = over((_, go) => go())
  assert.is(await codeOf(api.files.update('none', { tags: [] })), 'FILE_NOT_FOUND')
  assert.is(await codeOf(api.files.list({ cursor: 'x' })), 'CURSOR_INVALID')
  assert.is(sent.length, 2)
})

test('a server that is not there is NETWORK, and so is one that says nothing', async () => {
  const nobody = createRemoteApi({ url: 'http://127.0.0.1:1', apiKey, retries: 0 })
  assert.is(await codeOf(nobody.me.get()), 'NETWORK')
  const silent = (_: Sent, go: () => Promise<Response>) => sleep(500).then(go)
  const { api } = over(silent, { timeout: 50, retries: 0 })
  const hearing: typeof fetch = (_, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
    })
  const deaf = createRemoteApi({ url, fetch: hearing, timeout: 50, retries: 0 })
  assert.is(await codeOf(deaf.me.get()), 'NETWORK')
  assert.is(await codeOf(api.me.get()), 'NETWORK')
})

for (const [what, response] of Object.entries({
  'a page': () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }),
  'a page that says 404': () => new Response('<html>', { status: 404 }),
  'a redirect': () => Response.redirect('http://127.0.0.1:1/'),
  'a list': () => Response.json([]),
  'a problem that nobody knows': () => Response.json({ code: 'NEW' }, { status: 400 }),
})) {
  test(`${what} is RESPONSE_INVALID, and no credential goes on`, async () => {
    const { api, sent } = over(async () => response())
    assert.is(await codeOf(api.files.get('x')), 'RESPONSE_INVALID')
    assert.is(sent.length, 1)
  })
}

test('a call ends with its signal, by its reason', async () => {
  const { api } = over(() => sleep(60_000).then(() => new Response('')))
  const stop = new AbortController()
  const reason = new Error('enough')
  setTimeout(() => stop.abort(reason), 50)
  const network: typeof fetch = (_, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
    })
  const ending = createRemoteApi({ url, fetch: network }).with({ signal: stop.signal })
  assert.is(await refusal(ending.me.get()), reason)
  assert.is(await refusal(api.with({ signal: stop.signal }).me.get()), reason)
})

async function* chunks(count: number) {
  for (let i = 0; i < count; i++) yield new Uint8Array(1024 * 1024).fill(i)
}

const stored = async (id: string) => {
  const response = await fetch(`${url}${await local.files.sign(id)}`)
  return new Uint8Array(await response.arrayBuffer())
}

test('a stream of unknown length arrives whole, whatever breaks', async () => {
  let patches = 0
  const { api, sent } = over((one, go) => {
    if (one.method === 'POST' && one.path === '/uploads/mine' && patches === 0) {
      patches++
      return lost(go())
    }
    if (one.method !== 'PATCH') return go()
    patches++
    // Once before it left, once after it arrived.
    if (patches === 2) return Promise.reject(new TypeError('fetch failed'))
    return patches === 4 ? lost(go()) : go()
  })
  const body = Readable.from(chunks(13))
  const file = await api.files.upload(body, { route: 'mine', filename: 'long' })
  assert.is(file.size, 13 * 1024 * 1024)
  const bytes = await stored(file.id)
  for (let i = 0; i < 13; i++) {
    assert.is(bytes[i * 1024 * 1024], i)
    assert.is(bytes[(i + 1) * 1024 * 1024 - 1], i)
  }
  assert.ok(sent.some(({ method }) => method === 'HEAD'))
  const { uploads } = await local.uploads.list({ route: 'mine' })
  assert.equal(uploads, [])
})

test('an upload that is ended leaves nothing, and its stream is closed', async () => {
  const stop = new AbortController()
  const reason = new Error('enough')
  let isClosed = false
  async function* endless() {
    try {
      for (;;) {
        yield new Uint8Array(1024 * 1024)
        if (await world.server.newest().then((row) => row?.route === 'private'))
          stop.abort(reason)
      }
    } finally {
      isClosed = true
    }
  }
  const body = Readable.from(endless())
  const call = by(apiKey).files.upload(body, { route: 'private', signal: stop.signal })
  assert.is(await refusal(call), reason)
  assert.ok(isClosed)
  const row = await world.server.newest()
  assert.is(row?.state, 'removed')
})

test('a stream that fails is thrown, and leaves nothing', async () => {
  const broken = new Error('the source broke')
  async function* failing() {
    yield new Uint8Array(9)
    throw broken
  }
  const body = Readable.from(failing())
  assert.is(await refusal(by(apiKey).files.upload(body, { route: 'brief' })), broken)
  assert.is((await world.server.newest())?.state, 'removed')
})

test('who watches is told the rest when the connection breaks', async () => {
  const id = await world.file()
  const { api, sent } = over(async ({ path }, go, count) => {
    const response = await go()
    if (!path.startsWith('/events') || count > 1) return response
    return new Response(brokenAfterOne(response.body), { headers: response.headers })
  })
  const types: string[] = []
  for await (const event of api.events.subscribe({ file: id }, { after: 0 })) {
    types.push(event.type)
    if (types.length === 3) break
  }
  assert.equal(types, ['file.created', 'file.stored', 'file.ready'])
  assert.is(sent.length, 2)
  assert.ok(Number(sent[1]?.headers.get('last-event-id')) > 0)
})

/** What a connection gives that breaks behind the first event. */
function brokenAfterOne(body: ReadableStream<Uint8Array> | null) {
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      let text = ''
      for await (const chunk of body ?? []) {
        text += new TextDecoder().decode(chunk)
        const end = text.indexOf('\n\n', text.indexOf('event:'))
        if (!text.includes('event:') || end < 0) continue
        controller.enqueue(new TextEncoder().encode(text.slice(0, end + 2)))
        return controller.close()
      }
    },
  })
}

test('what may not be watched is refused, and not asked for again', async () => {
  const { api, sent } = over((_, go) => go())
  const watch = async () => {
    for await (const _ of api.events.subscribe({ file: 'none' })) assert.unreachable()
  }
  assert.is(await codeOf(watch()), 'TOPIC_NOT_FOUND')
  assert.is(sent.length, 1)
})

for (const [what, options] of Object.entries({
  'no URL': { url: 'media' },
  'a URL of another kind': { url: 'ftp://example.com' },
  'a URL with a query': { url: 'https://example.com/?a' },
  'a time that is none': { url, timeout: 'soon' },
  'half a repetition': { url, retries: 0.5 },
})) {
  test(`${what} is a TypeError`, () => {
    assert.throws(
      () => createRemoteApi(options),
      (error: unknown) => error instanceof TypeError,
    )
  })
}

test.run()
