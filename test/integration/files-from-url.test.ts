/** `carcosa.api.files.uploadFromUrl`, and where it does not go: row SEC-26. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createRouter,
  type ProgramUpload,
  route,
  type UrlSource,
} from '../../src/index.ts'
import { createEgress, type Resolver } from '../../src/shared/egress.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { memory } from '../../stores/memory.ts'
import { listen, startServer, type TestServer } from '../support/server.ts'

const router = createRouter({
  any: route({ blob: { maxFileSize: '1MB' } }).public(),
  small: route({ blob: { maxFileSize: '1KB' } }).public(),
})

/** What the source answers, by path. */
const pages: Record<string, RequestListener> = {
  '/pic%20ture.png': (_, res) =>
    res.setHeader('Content-Type', 'text/plain').end('a text'),
  '/none': (_, res) => res.writeHead(404).end('secret of the inside'),
  '/bytes': (_, res) =>
    res.setHeader('Content-Type', 'application/octet-stream').end('x'),
  '/chunked': (_, res) => {
    res.write('some ')
    setTimeout(() => res.end('bytes'), 20)
  },
  '/empty': (_, res) => res.end(),
  '/large': (_, res) => res.setHeader('Content-Length', 5000).end(Buffer.alloc(5000)),
  '/endless': (_, res) => {
    const more = () => {
      while (!res.destroyed && res.write(Buffer.alloc(16_384))) endless.sent += 16_384
      if (!res.destroyed) res.once('drain', more)
    }
    more()
  },
  '/short': (_, res) => {
    res.setHeader('Content-Length', 100)
    res.write('half', () => res.destroy())
  },
  '/long': (_, res) => {
    res.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour and more')
  },
  '/gzip': (_, res) => res.setHeader('Content-Encoding', 'gzip').end('x'),
  '/silent': () => {},
  '/stalls': (_, res) => void res.write('half'),
  '/drips': (_, res) => {
    const timer = setInterval(() => res.write('x'), 30)
    res.on('close', () => clearInterval(timer))
  },
  '/echo': (req, res) => res.end(JSON.stringify(req.headers)),
}
for (let i = 0; i < 7; i++) {
  pages[`/hop${i}`] = (_, res) =>
    res
      .writeHead(302, {
        Location: i === 0 ? '/bytes' : `hop${i - 1}`,
        'Set-Cookie': 'a=b',
      })
      .end()
}
const endless = { sent: 0 }

const test = suite('uploads from URLs')
const store = memory()
let source: Server
let base: string
let asked: string[] = []
let server: TestServer
let closed: TestServer
test.before(async () => {
  source = createServer((req, res) => {
    asked.push(req.url ?? '')
    const page = pages[req.url ?? '']
    const to = decodeURIComponent((req.url ?? '').slice('/to/'.length))
    if (page) page(req, res)
    else res.writeHead(307, { Location: to }).end()
  })
  base = `http://127.0.0.1:${await listen(source)}`
  server = await startServer({ router, store, outboundNetworks: ['loopback'] })
  closed = await startServer({ router })
})
test.after(async () => {
  source.closeAllConnections()
  source.close()
  await server.close()
  await closed.close()
})
test.before.each(() => {
  asked = []
})

const files = () => server.carcosa.api.files
const fetch = (path: string, options: Partial<ProgramUpload> = {}) =>
  files().uploadFromUrl(`${base}${path}`, { route: 'any', ...options })

async function contentOf(id: string): Promise<string> {
  const path = await files().sign(id)
  return (await server.doors.http({ method: 'GET', path })).text
}

test('a URL becomes a file, named as its path and of the type it was answered with', async () => {
  const file = await fetch('/pic%20ture.png')
  assert.equal(
    [file.filename, file.declaredType, file.size, file.state],
    ['pic ture.png', 'text/plain', 6, 'ready'],
  )
  assert.is(await contentOf(file.id), 'a text')
  const said = { filename: 'n.csv', type: 'text/csv', tags: ['t'], customId: 'c' }
  const given = await files().uploadFromUrl(
    { url: new URL(`${base}/chunked`), ...said },
    { route: 'any', ownerId: 'ann' },
  )
  const { filename, declaredType: type, tags, customId, ownerId } = given
  assert.equal({ filename, type, tags, customId }, said)
  assert.is(ownerId, 'ann')
  assert.is(await contentOf(given.id), 'some bytes')
  assert.is((await fetch('/empty')).size, 0)
})

test('several are fetched, each for itself', async () => {
  const sources: UrlSource[] = [`${base}/bytes`, { url: `${base}/none` }, 'no url', base]
  const outcomes = await files().uploadFromUrl(sources, { route: 'any', concurrency: 2 })
  assert.equal(
    outcomes.map(({ data, error }) => data?.size ?? error?.code),
    [1, 'SOURCE_UNAVAILABLE', 'SOURCE_INVALID', 'SOURCE_UNAVAILABLE'],
  )
})

test('five redirects are followed, a sixth is not', async () => {
  assert.is((await fetch('/hop4')).filename, 'bytes')
  assert.is(await refusal(fetch('/hop5')), 'SOURCE_UNAVAILABLE')
})

test('no credentials and no cookies are sent', async () => {
  const { id } = await fetch('/to//echo')
  const headers = JSON.parse(await contentOf(id))
  assert.equal(Object.keys(headers).sort(), [
    'accept',
    'accept-encoding',
    'connection',
    'host',
    'user-agent',
  ])
})

const broken: [path: string, code: string][] = [
  ['/none', 'SOURCE_UNAVAILABLE'],
  ['/short', 'SOURCE_UNAVAILABLE'],
  ['/gzip', 'SOURCE_UNAVAILABLE'],
  ['/large', 'FILE_TOO_LARGE'],
  ['/endless', 'FILE_TOO_LARGE'],
]
for (const [path, code] of broken) {
  test(`${path} is ${code} and leaves nothing`, async () => {
    const before = await rows()
    const fetched = fetch(path, { route: 'small' })
    const error = await fetched.catch((error) => error)
    assert.is(error.code, code, String(error.stack))
    assert.not.match(JSON.stringify(error.toProblem()), /127\.0|secret|ECONN/)
    const left = (await rows()).filter(({ id }) => !before.some((row) => row.id === id))
    assert.ok(left.every(({ state, purged }) => state === 'removed' && purged))
    for (const { key } of left) assert.is(await store.stat(key), null)
  })
}

test('what is too large is stopped soon after its first byte too many', async () => {
  endless.sent = 0
  await refusal(fetch('/endless', { route: 'small' }))
  await sleep(50)
  const { sent } = endless
  await sleep(100)
  assert.is(endless.sent, sent)
  assert.ok(sent < 20_000_000, `${sent}`)
})

test('of more than was announced no more is taken', async () => {
  const { id } = await fetch('/long')
  assert.is(await contentOf(id), 'four')
})

test('a signal ends it', async () => {
  const reason = new Error('enough')
  for (const path of ['/silent', '/stalls']) {
    const control = new AbortController()
    const fetching = fetch(path, { signal: control.signal }).catch((error) => error)
    setTimeout(() => control.abort(reason), 60)
    assert.is(await fetching, reason)
  }
})

for (const [path, limit] of [
  ['/silent', { answerWithin: 100 }],
  ['/stalls', { idleTimeout: 60 }],
  ['/drips', { timeout: 300 }],
] as const) {
  test(`${path} is given up after a while`, async () => {
    const egress = createEgress({ networks: ['loopback'], ...limit })
    const began = performance.now()
    const error = await egress
      .get(`${base}${path}`)
      .then(async ({ body }) => {
        for await (const _ of body);
      })
      .catch((error) => error)
    assert.is(error?.code, 'SOURCE_UNAVAILABLE', String(error?.stack))
    assert.ok(performance.now() - began < 3_000)
  })
}

/** As in the row SEC-26; what a resolver is needed for is below. */
const inside = [
  ...['127.0.0.1', '127.1', '0x7f.1', '2130706433', '0', '0.0.0.0', '017700000001'],
  ...['10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1'],
  ...['192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1'],
  ...['255.255.255.255', '[::1]', '[::]', '[::ffff:10.0.0.1]', '[::ffff:127.0.0.1]'],
  ...['[fd00::1]', '[fe80::1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]', '[ff02::1]'],
  ...[
    '[2002:7f00:1::]',
    '[2001:0:7f00:1::]',
    '[2001:db8::1]',
    '[::127.0.0.1]',
    '[100::1]',
  ],
  ...['localhost', 'localhost.', 'LOCALHOST'],
]
for (const host of inside) {
  test(`${host} is not asked`, async () => {
    const { port } = new URL(base)
    for (const url of [`http://${host}/bytes`, `http://${host}:${port}/bytes`]) {
      const upload = closed.carcosa.api.files.uploadFromUrl(url, { route: 'any' })
      assert.equal(await toldOf(upload), told, url)
    }
    assert.equal(asked, [])
  })
}

test('a redirect to the inside is not followed', async () => {
  // From a network that may be asked to one that may not.
  for (const host of ['10.0.0.1', '169.254.169.254', '[fd00::1]', '[::ffff:10.0.0.1]']) {
    const path = `/to/${encodeURIComponent(`http://${host}/x`)}`
    assert.equal(await toldOf(fetch(path)), told, host)
  }
  for (const to of [
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    `http://u:p@127.0.0.1/`,
  ]) {
    const path = `/to/${encodeURIComponent(to)}`
    assert.is(await refusal(fetch(path)), 'SOURCE_INVALID', to)
  }
})

test('of the internet other ports than those of http and https are not asked', async () => {
  for (const url of [
    'http://1.1.1.1:22/',
    'https://1.1.1.1:8443/',
    'http://1.1.1.1:443/',
  ]) {
    const upload = closed.carcosa.api.files.uploadFromUrl(url, { route: 'any' })
    assert.equal(await toldOf(upload), told, url)
  }
})

const noUrls = [
  ...['', 'x', '//x', 'http://', 'ftp://example.com/', 'file:///etc/passwd', 'data:,x'],
  ...['gopher://example.com', 'javascript:1', 'http://ok@10.0.0.1/', 'https://a:b@c.d/'],
  ...['http://[::1', 'http://a b/', 'blob:http://a/b'],
]
for (const url of noUrls) {
  test(`${JSON.stringify(url)} is no URL to fetch from`, async () => {
    const upload = files().uploadFromUrl(url, { route: 'any' })
    assert.is(await refusal(upload), 'SOURCE_INVALID')
  })
}

test('what a program without types gives for a URL is refused', async () => {
  for (const url of [null, undefined, 5, {}, { url: 5 }, { url: null }]) {
    const upload = files().uploadFromUrl(url as unknown as string, { route: 'any' })
    assert.is(await refusal(upload), 'SOURCE_INVALID')
  }
})

/** Answers with these addresses, one list after the other. */
function resolver(...answers: string[][]) {
  const left = [...answers]
  const resolve: Resolver = (_hostname, _options, callback) => {
    const found = left.shift() ?? []
    callback(
      null,
      found.map((address) => ({ address, family: isIP(address) })),
    )
  }
  return { resolve, left }
}

test('a name that means another address at each question is judged each time', async () => {
  const { port } = new URL(base)
  const { resolve, left } = resolver(['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1'])
  const egress = createEgress({ networks: ['127.0.0.1'], resolve })
  const again = encodeURIComponent(`http://rebinding.test:${port}/bytes`)
  const answer = egress.get(`http://rebinding.test:${port}/to/${again}`)
  assert.equal(await toldOf(answer), told)
  assert.is(left.length, 1)
  assert.equal(asked, [`/to/${again}`])
})

for (const addresses of [
  ['1.1.1.1', '10.0.0.1'],
  ['2606:4700::1111', '10.0.0.1'],
  ['fd00::1', '1.1.1.1'],
  ['::ffff:127.0.0.1'],
  [],
]) {
  test(`a name with the addresses ${addresses} is not asked`, async () => {
    const { resolve } = resolver(addresses)
    const answer = createEgress({ resolve }).get('http://mixed.test/')
    assert.equal(await toldOf(answer), told)
  })
}

const told = {
  code: 'SOURCE_UNAVAILABLE',
  detail: 'The URL could not be fetched: its host cannot be reached from here.',
}

/** What is told of a host that does not exist. */
test('a host that does not exist is refused in the same words', async () => {
  const upload = closed.carcosa.api.files.uploadFromUrl('http://no.invalid/', {
    route: 'any',
  })
  assert.equal(await toldOf(upload), told)
  const nobody = files().uploadFromUrl('http://127.0.0.1:1/', { route: 'any' })
  assert.equal(await toldOf(nobody), told)
})

async function toldOf(work: Promise<unknown>) {
  const error: unknown = await work.catch((error) => error)
  if (!(error instanceof CarcosaError)) return error
  const { code, detail } = error.toProblem()
  return { code, detail }
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}

async function rows() {
  const { rows } = await server.uploads.db.executeSql(
    'SELECT id, key, state, purged_at IS NOT NULL AS purged FROM carcosa.file',
  )
  // What the statement asks for.
  return rows as unknown as { id: string; key: string; state: string; purged: boolean }[]
}

test.run()
