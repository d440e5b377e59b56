/** Carcosa inside the servers people have. */
import { createServer, type RequestListener, type Server } from 'node:http'
import express, { type Express } from 'express'
import fastify from 'fastify'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  closeConnections,
  type Exchange,
  overFetch,
  overHttp,
} from '../support/exchange.ts'
import {
  created,
  expectAnswer,
  offsetOf,
  offsetStream,
  patch,
} from '../support/records.ts'
import { listen, startServer, type TestServer } from '../support/server.ts'

const test = suite('mounting')
let server: TestServer
let based: TestServer
const running = new Map<Server, number>()

test.before(async () => {
  server = await startServer()
  based = await startServer({ basePath: '/media' })
})
test.after.each(async () => {
  for (const [host, port] of running) {
    closeConnections(port)
    host.closeAllConnections()
    await new Promise((resolve) => host.close(resolve))
  }
  running.clear()
})
test.after(async () => {
  await server.close()
  await based.close()
})

async function hosted(listener: RequestListener): Promise<Exchange> {
  const host = createServer(listener)
  const port = await listen(host)
  running.set(host, port)
  return overHttp(port)
}

/** Uploads in two parts and reads the file back, all under `prefix`. */
async function uploadsAndServes(exchange: Exchange, prefix: string): Promise<void> {
  const answer = await exchange({
    method: 'POST',
    path: `${prefix}/uploads/demo`,
    headers: { 'Upload-Length': '10', 'Content-Type': offsetStream },
    body: 'hello',
  })
  expectAnswer(answer, { status: 201, headers: { 'Upload-Offset': '5' } })
  const url = answer.headers.location ?? ''
  assert.match(url, new RegExp(`^${prefix}/uploads/demo/[\\w-]{24}$`))
  assert.is(await offsetOf(exchange, url), 5)
  const last = await patch(exchange, url, { offset: 5, body: ['wor', 'ld'] })
  assert.is(last.status, 204)
  const status = (await exchange({ method: 'GET', path: `${url}?wait=5` })).json()
  assert.is(status.state, 'ready')
  assert.match(String(status.url), new RegExp(`^${prefix}/files/`))
  const file = await exchange({ method: 'GET', path: String(status.url) })
  assert.is(file.text, 'helloworld')
}

/** An Express app whose own routes answer what Carcosa does not. */
function withOwnRoutes(app: Express): Express {
  app.get(['/', '/about', '/admin/files', '/api/routes', '/api/uploads/1'], (_, res) => {
    res.send('of the host')
  })
  return app
}

test('plain node:http', async () => {
  await uploadsAndServes(await hosted(server.carcosa.handler), '')
})

test('plain node:http with a basePath', async () => {
  await uploadsAndServes(await hosted(based.carcosa.handler), '/media')
})

test('Express 5: app.use at a path', async () => {
  const app = express().use('/media', server.carcosa.handler)
  await uploadsAndServes(await hosted(app), '/media')
})

test('Express 5: the path is as the client wrote it, whatever its case', async () => {
  const app = express().use('/media', server.carcosa.handler)
  await uploadsAndServes(await hosted(app), '/MEDIA')
})

test('Express 5: routers inside routers', async () => {
  const inner = express.Router().use('/media', server.carcosa.handler)
  const middle = express.Router().use('/v1', inner)
  await uploadsAndServes(await hosted(express().use('/api', middle)), '/api/v1/media')
})

test('Express 5: a path with a parameter', async () => {
  const app = express().use('/t/:tenant/media', server.carcosa.handler)
  await uploadsAndServes(await hosted(app), '/t/acme/media')
})

test('Express 5: a basePath that Express strips as well', async () => {
  const app = express().use('/media', based.carcosa.handler)
  await uploadsAndServes(await hosted(app), '/media')
})

test('Express 5: a basePath and no path', async () => {
  const app = express().use(based.carcosa.handler)
  await uploadsAndServes(await hosted(withOwnRoutes(app)), '/media')
})

test('Express 5: at the root, the routes of the host behind it stay theirs', async () => {
  const app = withOwnRoutes(express().use(server.carcosa.handler))
  const exchange = await hosted(app)
  await uploadsAndServes(exchange, '')
  for (const path of ['/', '/about', '/admin/files', '/api/routes', '/api/uploads/1']) {
    const answer = await exchange({
      method: 'GET',
      path,
      headers: { 'Tus-Resumable': null },
    })
    assert.is(answer.text, 'of the host', path)
  }
  const nowhere = await exchange({ method: 'GET', path: '/nowhere' })
  assert.is(nowhere.status, 404)
  assert.match(nowhere.text, /Cannot GET/)
})

test('Express 5: with a basePath, the same paths without it stay the host’s', async () => {
  const app = express().use(based.carcosa.handler)
  app.get(['/files/:id', '/routes', '/healthz'], (_, res) => void res.send('of the host'))
  const exchange = await hosted(app)
  for (const path of ['/files/1', '/routes', '/healthz']) {
    const answer = await exchange({
      method: 'GET',
      path,
      headers: { 'Tus-Resumable': null },
    })
    assert.is(answer.text, 'of the host', path)
  }
})

test('Express 5: parsers for other types in front do no harm', async () => {
  const app = express()
    .use(express.json(), express.urlencoded(), express.text())
    .use('/media', server.carcosa.handler)
  const exchange = await hosted(app)
  await uploadsAndServes(exchange, '/media')
  const prepared = await exchange({
    method: 'POST',
    path: '/media/uploads/demo/prepare',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ files: [{ name: 'a', size: 1, type: '' }] }),
  })
  assert.is(prepared.status, 200, prepared.text)
})

test('Connect: a handler of req, res and next', async () => {
  const exchange = await hosted((req, res) => {
    if (!req.url?.startsWith('/media/')) return void res.end('of the host')
    // What connect does when it is mounted at a path.
    Object.assign(req, { originalUrl: req.url, url: req.url.slice('/media'.length) })
    server.carcosa.handler(req, res, () => res.writeHead(404).end('next'))
  })
  await uploadsAndServes(exchange, '/media')
  const next = await exchange({ method: 'GET', path: '/media/nothing' })
  assert.is(next.text, 'next')
})

test('Fastify: the raw pair, hijacked', async () => {
  const app = fastify()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.all('/media/*', (request, reply) => {
    reply.hijack()
    based.carcosa.handler(request.raw, reply.raw)
  })
  await app.ready()
  const port = await listen(app.server)
  running.set(app.server, port)
  await uploadsAndServes(overHttp(port), '/media')
})

test('fetch with a basePath, as for Next, Hono and Remix', async () => {
  await uploadsAndServes(overFetch(based.carcosa.fetch), '/media')
})

test('P12: fetch and handler work without their object', async () => {
  const { fetch, handler } = server.carcosa
  await uploadsAndServes(overFetch(fetch), '')
  await uploadsAndServes(await hosted(handler), '')
})

test('publicUrl stands in front of every URL that clients are told', async () => {
  const other = await startServer({
    basePath: '/media',
    publicUrl: 'https://files.example',
  })
  try {
    const exchange = other.doors.http
    const answer = await exchange({
      method: 'POST',
      path: '/media/uploads/demo',
      headers: { 'Upload-Length': '1', 'Content-Type': offsetStream },
      body: 'x',
    })
    const location = answer.headers.location ?? ''
    assert.match(location, /^https:\/\/files\.example\/media\/uploads\/demo\/[\w-]{24}$/)
    const path = location.slice('https://files.example'.length)
    const status = (await exchange({ method: 'GET', path })).json()
    assert.match(String(status.url), /^https:\/\/files\.example\/media\/files\//)
  } finally {
    await other.close()
  }
})

const mismatches: [
  what: string,
  exchange: () => Promise<Exchange>,
  path: string,
  says: RegExp,
][] = [
  [
    'an unknown prefix before handler',
    () => hosted(server.carcosa.handler),
    '/media/uploads/demo',
    /prefix "\/media".*basePath: '\/media'/,
  ],
  [
    'an unknown prefix before fetch',
    async () => overFetch(server.carcosa.fetch),
    '/api/v1/uploads/demo',
    /prefix "\/api\/v1".*basePath: '\/api\/v1'/,
  ],
  [
    'a basePath that is stripped in front of us',
    () => hosted(based.carcosa.handler),
    '/uploads/demo',
    /basePath "\/media".*asked for "\/uploads\/demo"/,
  ],
  [
    'a basePath that is another',
    async () => overFetch(based.carcosa.fetch),
    '/files/uploads/demo',
    /basePath/,
  ],
  [
    'a path of Express that is mounted twice',
    () => hosted(express().use('/a', server.carcosa.handler)),
    '/a/a/uploads/demo',
    /prefix "\/a"/,
  ],
]
for (const [what, exchange, path, says] of mismatches) {
  test(`MOUNT_MISMATCH explains ${what}`, async () => {
    const answer = await (await exchange())({
      method: 'POST',
      path,
      headers: { 'Upload-Length': '1' },
    })
    expectAnswer(answer, { status: 404, code: 'MOUNT_MISMATCH' })
    assert.match(String(answer.json().detail), says)
  })
}

const eaters: [what: string, app: () => Express][] = [
  ['express.raw', () => express().use(express.raw({ type: '*/*' }))],
  ['express.text', () => express().use(express.text({ type: () => true }))],
  [
    'something of the host',
    () => express().use((req, _res, next) => void req.on('end', next).resume()),
  ],
]
for (const [what, app] of eaters) {
  for (const method of ['PATCH', 'POST']) {
    test(`P13: BODY_ALREADY_READ explains ${what} in front of ${method}`, async () => {
      const exchange = await hosted(app().use('/media', server.carcosa.handler))
      const url = await created(server.doors.http, { bytes: 'hello' })
      const answer = await exchange({
        method,
        path: method === 'POST' ? '/media/uploads/demo' : `/media${url}`,
        headers: {
          'Upload-Offset': '5',
          'Upload-Length': '10',
          'Content-Type': offsetStream,
        },
        body: 'world',
      })
      expectAnswer(answer, { status: 500, code: 'BODY_ALREADY_READ' })
      assert.match(String(answer.json().detail), /before body parsers/)
      assert.is(await offsetOf(server.doors.http, url), 5)
    })
  }
}

test('P13: BODY_ALREADY_READ explains a Request whose body was read', async () => {
  const request = new Request('http://localhost/uploads/demo', {
    method: 'POST',
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Length': '5',
      'Content-Type': offsetStream,
    },
    body: 'hello',
  })
  await request.text()
  const response = await server.carcosa.fetch(request)
  assert.is(response.status, 500)
  const { code } = (await response.json()) as { code: string }
  assert.is(code, 'BODY_ALREADY_READ')
})

test('a proxy that drops Tus-Resumable is explained', async () => {
  const exchange = await hosted((req, res) => {
    const kept = req.rawHeaders.findIndex((name) => /^tus-resumable$/i.test(name))
    req.rawHeaders.splice(kept, 2)
    delete req.headers['tus-resumable']
    server.carcosa.handler(req, res)
  })
  const answer = await exchange({
    method: 'POST',
    path: '/uploads/demo',
    headers: { 'Upload-Length': '1' },
  })
  expectAnswer(answer, { status: 412, code: 'TUS_VERSION_UNSUPPORTED' })
  assert.match(String(answer.json().detail), /is missing.*proxy/)
})

test.run()
