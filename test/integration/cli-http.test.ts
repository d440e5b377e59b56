import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Handler,
  listen,
  localUrl,
  stop,
  uploadServer,
} from '../../src/cli/server/http.ts'
import { servePage } from '../../src/cli/server/page.ts'
import { CarcosaError } from '../../src/shared/errors.ts'

const local = { host: '127.0.0.1', port: 0 }

async function started(
  handler: Handler,
): Promise<{ server: Server; url: string; port: number }> {
  const server = uploadServer(both(handler))
  const address = await listen(server, local)
  return { server, url: localUrl(address), port: address.port }
}

function both(handler: Handler) {
  return { request: handler, checkContinue: handler }
}

async function listenError(at: { host: string; port: number }): Promise<CarcosaError> {
  const server = uploadServer(both(() => {}))
  try {
    await listen(server, at)
  } catch (error) {
    assert.instance(error, CarcosaError)
    return error as CarcosaError
  }
  await stop(server, 0)
  throw new Error('it listens')
}

const listening = suite('listening')

listening('a port in use is told with the next one as a way out', async () => {
  const { server, port } = await started(() => {})
  const error = await listenError({ host: '127.0.0.1', port })
  assert.is(error.code, 'LISTEN_FAILED')
  assert.match(error.message, `Port ${port} of 127.0.0.1 is in use`)
  assert.match(error.message, '--port')
  await stop(server, 0)
})

listening('an address of another machine is told', async () => {
  const error = await listenError({ host: '192.0.2.1', port: 0 })
  assert.match(error.message, 'no address 192.0.2.1')
})

listening('a host name that does not exist is told', async () => {
  const error = await listenError({ host: 'nowhere.invalid', port: 0 })
  assert.match(error.message, /nowhere\.invalid.*--host 127\.0\.0\.1/)
})

listening('the URL is one that a browser on this machine can open', () => {
  const at = (address: string, family: string) =>
    localUrl({ address, family, port: 80 } as AddressInfo)
  assert.is(at('127.0.0.1', 'IPv4'), 'http://127.0.0.1:80')
  assert.is(at('::1', 'IPv6'), 'http://[::1]:80')
  assert.is(at('0.0.0.0', 'IPv4'), 'http://localhost:80')
  assert.is(at('::', 'IPv6'), 'http://localhost:80')
})

listening(
  'a request that asks for 100 Continue is decided before its body is sent',
  async () => {
    const server = uploadServer({
      request: (_, response) => void response.writeHead(418).end(),
      checkContinue: (incoming, response) => {
        response.writeContinue()
        incoming.pipe(response)
      },
    })
    const url = localUrl(await listen(server, local))
    const outgoing = request(url, { method: 'POST', headers: { expect: '100-continue' } })
    outgoing.flushHeaders()
    await new Promise((resolve) => outgoing.once('continue', resolve))
    outgoing.end('body')
    const response = await responseTo(outgoing)
    assert.is(await text(response), 'body')
    await stop(server, 0)
  },
)

listening(
  'a body may take longer than the five minutes that Node allows by default',
  () => {
    const server = uploadServer(both(() => {}))
    assert.is(server.requestTimeout, 0)
    assert.ok(server.headersTimeout > 0 && server.headersTimeout <= 60_000)
    assert.ok(server.keepAliveTimeout > 600_000)
  },
)

listening.run()

const stopping = suite('stopping')

stopping(
  'a running request may end, its connection does not hold the server',
  async () => {
    const { server, url } = await started(async (_, response) => {
      await wait(200)
      response.end('late')
    })
    const agent = new Agent({ keepAlive: true })
    const outgoing = request(url, { agent }).end()
    await new Promise((resolve) => server.once('request', resolve))
    const stopped = stop(server, 5000)
    assert.is(await text(await responseTo(outgoing)), 'late')
    const before = Date.now()
    assert.is(await stopped, 0)
    assert.ok(Date.now() - before < 1000, 'it waited for the idle connection')
    agent.destroy()
  },
)

stopping('nobody new is let in while it waits', async () => {
  const { server, url, port } = await started(() => {})
  const outgoing = request(url).end()
  outgoing.on('error', () => {})
  await new Promise((resolve) => server.once('request', resolve))
  const stopped = stop(server, 300)
  const refused = await new Promise((resolve) => {
    connect(port, '127.0.0.1').once('error', resolve)
  })
  assert.is((refused as NodeJS.ErrnoException).code, 'ECONNREFUSED')
  await stopped
})

stopping('a request that does not end in time is cut off, and counted', async () => {
  const complete = Promise.withResolvers<boolean>()
  const { server, url } = await started((incoming) => {
    incoming.resume().once('close', () => complete.resolve(incoming.complete))
  })
  const outgoing = request(url, { method: 'PATCH' })
  const failed = new Promise((resolve) => outgoing.once('error', resolve))
  outgoing.write('half')
  await new Promise((resolve) => server.once('request', resolve))
  const before = Date.now()
  assert.is(await stop(server, 200), 1)
  assert.ok(Date.now() - before < 1500)
  await failed
  assert.is(await complete.promise, false, 'the handler sees a body that broke off')
})

stopping('an idle connection does not delay it', async () => {
  const { server, url } = await started((_, response) => void response.end())
  const agent = new Agent({ keepAlive: true })
  await text(await responseTo(request(url, { agent }).end()))
  const before = Date.now()
  assert.is(await stop(server, 5000), 0)
  assert.ok(Date.now() - before < 1000)
  agent.destroy()
})

stopping.run()

interface PageContext {
  directory: string
  server: Server
  url: string
}

// Filled by the hook below before any test runs.
const page = suite('static files', {} as PageContext)

page.before(async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'carcosa-page-'))
  writeFileSync(join(directory, 'secret'), 'secret')
  const files = join(directory, 'page')
  mkdirSync(join(files, 'sub'), { recursive: true })
  writeFileSync(join(files, 'index.html'), '<!doctype html>')
  writeFileSync(join(files, 'sub', 'app one.js'), 'export {}')
  writeFileSync(join(files, '.env'), 'secret')
  symlinkSync('../secret', join(files, 'link'))
  const serve = await servePage(files, '/media')
  const found = await started((incoming, response) => {
    if (!serve(incoming, response)) response.writeHead(418).end()
  })
  Object.assign(context, { directory, ...found })
})

page.after(async ({ server, directory }) => {
  await stop(server, 0)
  rmSync(directory, { recursive: true })
})

page('the directory is answered with index.html', async ({ url }) => {
  const response = await fetch(`${url}/media/?x=1`)
  assert.is(response.status, 200)
  assert.is(response.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.is(response.headers.get('x-content-type-options'), 'nosniff')
  assert.match(
    response.headers.get('content-security-policy') ?? '',
    "default-src 'self'",
  )
  assert.is(await response.text(), '<!doctype html>')
})

page('a file in a folder is found by its encoded path', async ({ url }) => {
  const response = await fetch(`${url}/media/sub/app%20one.js`)
  assert.is(response.headers.get('content-type'), 'text/javascript; charset=utf-8')
  assert.is(await response.text(), 'export {}')
})

page('a file that did not change is not sent again', async ({ url }) => {
  const etag = (await fetch(`${url}/media/`)).headers.get('etag') ?? ''
  const response = await fetch(`${url}/media/`, { headers: { 'if-none-match': etag } })
  assert.is(response.status, 304)
})

page('HEAD is answered with the length alone', async ({ url }) => {
  const response = await fetch(`${url}/media/`, { method: 'HEAD' })
  assert.is(response.headers.get('content-length'), '15')
  assert.is(await response.text(), '')
})

for (const path of [
  '/',
  '/media',
  '/index.html',
  '/media/sub',
  '/media/sub/',
  '/media/.env',
  '/media/link',
  '/media/../secret',
  '/media/%2e%2e/secret',
  '/media/..%2fsecret',
  '/media/sub/../../../secret',
  '/media//etc/passwd',
  '/media/__proto__',
  '/media/constructor',
  '/media/index.html%00',
]) {
  page(`${path} is left to others`, async ({ url }) => {
    // fetch would resolve the dots before it asks.
    const response = await responseTo(request(url, { path }).end())
    response.resume()
    assert.is(response.statusCode, 418)
  })
}

page('another method is left to others', async ({ url }) => {
  assert.is((await fetch(`${url}/media/`, { method: 'POST' })).status, 418)
})

page('a directory without index.html is refused at start', async ({ directory }) => {
  for (const wrong of [join(directory, 'page', 'sub'), join(directory, 'nowhere')]) {
    const error = await servePage(wrong).catch((reason) => reason)
    assert.is(error.code, 'CONFIG_INVALID')
    assert.match(error.message, wrong)
  }
})

page.run()

function responseTo(outgoing: ReturnType<typeof request>) {
  return new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject)
  })
}
