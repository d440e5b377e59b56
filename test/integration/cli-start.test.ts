import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { command, directory, type Outcome, run, startServer } from '../support/command.ts'
import { openSocket } from '../support/event-socket.ts'
import { openStream, until } from '../support/event-stream.ts'
import { postgres } from '../support/postgres.ts'
import { openRaw } from '../support/raw-http.ts'

const tus = { 'tus-resumable': '1.0.0' }
const chunked = { ...tus, 'content-type': 'application/offset+octet-stream' }
const root = join(import.meta.dirname, '../..')

/** What these tests are about needs a database, and real Postgres starts much faster. */
const shared = await postgres()
const quick = ['--database', shared.url]

async function create(url: string, size: number): Promise<string> {
  const headers = {
    ...tus,
    'upload-length': String(size),
    'upload-metadata': 'name YS5iaW4=',
  }
  const response = await fetch(`${url}/uploads/demo`, { method: 'POST', headers })
  assert.is(response.status, 201, await response.text())
  return new URL(response.headers.get('location') ?? '', url).href
}

async function offsetOf(upload: string): Promise<number> {
  const response = await fetch(upload, { method: 'HEAD', headers: tus })
  assert.is(response.status, 200)
  return Number(response.headers.get('upload-offset'))
}

/** A PATCH from byte 0 whose body the test writes piece by piece. */
function patch(upload: string): ClientRequest {
  return request(upload, {
    method: 'PATCH',
    headers: { ...chunked, 'upload-offset': '0' },
  })
}

function statusOf(outgoing: ClientRequest): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', (response: IncomingMessage) => resolve(response.statusCode))
    outgoing.once('error', reject)
  })
}

/** Waits until the server has begun to store what was written. */
async function storing(upload: string): Promise<void> {
  while ((await (await fetch(upload, { headers: { ...tus } })).json()).offset === 0) {
    await wait(20)
  }
}

async function assert404(connecting: Promise<unknown>): Promise<void> {
  const outcome = await connecting.then(
    () => 'connected',
    (error: Error) => error.message,
  )
  assert.is(outcome, '404')
}

const whole = suite('carcosa start, from first byte to restart')

whole('an upload survives a stop and a start in the same directory', async () => {
  const bytes = randomBytes(300_000)
  const first = await startServer()
  const upload = await create(first.url, bytes.length)
  const sent = await fetch(upload, {
    method: 'PATCH',
    headers: { ...chunked, 'upload-offset': '0' },
    body: bytes,
  })
  assert.is(sent.status, 204)
  const { url } = await (await fetch(`${upload}?wait=10`)).json()
  const { code, out, err } = await first.stop()
  assert.is(code, 0, err)
  assert.match(out, join(first.cwd, '.carcosa'))
  assert.match(out, 'embedded')

  const second = await startServer([], { cwd: first.cwd })
  const path = new URL(url, first.url).pathname
  const file = await fetch(`${second.url}${path}`)
  assert.is(file.status, 200)
  assert.ok(Buffer.from(await file.arrayBuffer()).equals(bytes))
  assert.is((await second.stop()).code, 0)
})

whole('a second process on the same directory is told who has it', async () => {
  const first = await startServer()
  const second = await run(['start', '--port', '0'], { cwd: first.cwd })
  oneLine(second, 'DATABASE_LOCKED')
  assert.match(second.err, `process ${first.child.pid}`)
  assert.is((await first.stop()).code, 0)
})

whole.run()

const ending = suite('carcosa start, when it is told to stop')

ending('ends those who watch, and says that they may come back', async () => {
  const server = await startServer(quick)
  const upload = await create(server.url, 8)
  const id = upload.split('/').at(-1) ?? ''
  const port = Number(new URL(server.url).port)
  const stream = await openStream(port, `/events?file=${id}&lastEventId=0`)
  const socket = await openSocket(port)
  socket.send({ type: 'subscribe', topic: { file: id }, lastEventId: 0 })
  await stream.next('file.created')
  await socket.next('event')
  await assert404(openSocket(port, '/elsewhere'))
  assert.is((await server.stop()).code, 0)
  await until(() => stream.ended && socket.closed === 1012)
})

ending('lets a running upload end', async () => {
  const server = await startServer(quick)
  const upload = await create(server.url, 8)
  const outgoing = patch(upload)
  outgoing.setHeader('content-length', 8)
  outgoing.write('half')
  await storing(upload)
  server.child.kill('SIGTERM')
  await server.printed(/Stopping/)
  outgoing.end('full')
  assert.is(await statusOf(outgoing), 204)
  assert.is((await server.ended).code, 0)
})

ending(
  'answers what does not end in time with its offset, then cuts it off; no byte is lost',
  async () => {
    const server = await startServer([...quick, '--shutdown-timeout', '600ms'])
    const upload = await create(server.url, 2 ** 30)
    const outgoing = patch(upload)
    let cut = false
    outgoing.once('close', () => {
      cut = true
    })
    const answered = once(outgoing, 'response')
    const piece = randomBytes(50_000)
    const sending = (async () => {
      for (; !cut; await wait(5)) outgoing.write(piece)
    })()
    await storing(upload)
    const began = Date.now()
    const { code, err } = await server.stop()
    assert.is(code, 0, err)
    assert.ok(Date.now() - began < 3_000, `it took ${Date.now() - began} ms`)
    assert.match(err, 'Cut off')
    await sending

    const kept = largestFile(join(server.cwd, '.carcosa', 'files'))
    const [response]: IncomingMessage[] = await answered
    assert.is(response?.statusCode, 204)
    assert.is(response?.headers['upload-offset'], String(kept))
    const again = await startServer(quick, { cwd: server.cwd })
    const { pathname } = new URL(upload)
    assert.is(await offsetOf(`${again.url}${pathname}`), kept)
    assert.is((await again.stop()).code, 0)
  },
)

ending('ends connections that are idle, without waiting for them', async () => {
  const server = await startServer([...quick, '--shutdown-timeout', '1m'])
  const connection = await openRaw(Number(new URL(server.url).port))
  connection.ask('GET', '/routes')
  assert.is((await connection.answer()).status, 200)
  const began = Date.now()
  server.child.kill('SIGTERM')
  await connection.closed
  assert.ok(Date.now() - began < 3_000)
  assert.is((await server.ended).code, 0)
  assert.ok(Date.now() - began < 5_000, `it took ${Date.now() - began} ms`)
})

ending('serves for --drain-delay first, and keeps no connection', async () => {
  const server = await startServer([...quick, '--drain-delay', '1500ms'])
  const kept = await openRaw(Number(new URL(server.url).port))
  const began = Date.now()
  server.child.kill('SIGTERM')
  await server.printed(/Stopping/)
  await create(server.url, 8)
  for (const path of ['/routes', '/']) {
    const { status, headers } = await fetch(server.url + path)
    assert.is(status, 200)
    assert.is(headers.get('connection'), 'close', path)
  }
  kept.ask('GET', '/routes')
  assert.is((await kept.answer()).headers.connection, 'close')
  await kept.closed
  assert.is((await server.ended).code, 0)
  const took = Date.now() - began
  assert.ok(took >= 1_500 && took < 6_000, `it took ${took} ms`)
})

ending('is not kept alive by a callback that never ends', async () => {
  const cwd = directory({
    'carcosa.config.mjs': `
      import { createRouter, defineConfig, route } from '${root}/src/index.ts'
      setInterval(() => {}, 1_000)
      export default defineConfig({
        router: createRouter({
          demo: route({ blob: { maxFileSize: '1MB' } }).public()
            .onUploadComplete(() => new Promise(() => {})),
        }),
      })`,
  })
  const server = await startServer([...quick, '--shutdown-timeout', '1500ms'], { cwd })
  const upload = await create(server.url, 4)
  const headers = { ...chunked, 'upload-offset': '0' }
  await fetch(upload, { method: 'PATCH', headers, body: 'full' })
  const began = Date.now()
  assert.is((await server.stop()).code, 0)
  assert.ok(Date.now() - began < 3_000, `it took ${Date.now() - began} ms`)
})

ending('a second signal ends it at once', async () => {
  const server = await startServer([...quick, '--shutdown-timeout', '1m'])
  const upload = await create(server.url, 8)
  const outgoing = patch(upload)
  outgoing.on('error', () => {})
  outgoing.write('half')
  await storing(upload)
  server.child.kill('SIGINT')
  await server.printed(/Stopping/)
  // Within a second it counts as the same Ctrl-C, which npm passes on a second time.
  server.child.kill('SIGINT')
  await wait(1200)
  assert.is(server.child.exitCode, null)
  server.child.kill('SIGTERM')
  assert.is((await server.ended).code, 143)
})

ending('a signal while it still starts ends it as soon as it is up', async () => {
  const cwd = directory({
    'slow.mjs': `
      import { route } from '${root}/src/routes/route.ts'
      import { createRouter } from '${root}/src/routes/router.ts'
      console.log('loading')
      await new Promise((resolve) => setTimeout(resolve, 300))
      export default { router: createRouter({ demo: route(['blob']) }) }`,
  })
  const server = command(['start', '--config', 'slow.mjs', '--port', '0', ...quick], {
    cwd,
  })
  await server.printed(/loading/)
  server.child.kill('SIGTERM')
  const { code, err } = await server.ended
  assert.is(code, 0, err)
  assert.match(err, 'Stopped')
})

ending.run()

const refusals = suite('carcosa start, when it cannot')

function oneLine({ code, out, err }: Outcome, expected: string): void {
  assert.is(code, 1, err)
  assert.is(out, '')
  assert.match(err, new RegExp(`^carcosa: ${expected}: [^\n]+\n$`))
}

refusals('a port in use', async () => {
  const first = await startServer(quick)
  const { port } = new URL(first.url)
  const second = await run(['start', '--port', port, ...quick])
  oneLine(second, 'LISTEN_FAILED')
  assert.match(second.err, port)
  await first.stop()
})

const rows: [what: string, args: string[], code: string, ...said: string[]][] = [
  ['a data directory below a file', ['--data-dir', 'file/x'], 'CONFIG_INVALID', 'file/x'],
  ['a data directory that is a file', ['--data-dir', 'file'], 'CONFIG_INVALID', 'file'],
  [
    'a database directory that is a file',
    ['--database', 'file'],
    'CONFIG_INVALID',
    'file',
  ],
  [
    'a database that does not answer',
    ['--database', 'postgres://app:hunter2@127.0.0.1:1/app'],
    'DATABASE_UNAVAILABLE',
    '127.0.0.1:1',
  ],
  [
    'a database of another kind',
    ['--database', 'mysql://db/app'],
    'CONFIG_INVALID',
    'postgres://',
  ],
  ['an address of another machine', [...quick, '--host', '192.0.2.1'], 'LISTEN_FAILED'],
  ['a wrong port', ['--port', '80a'], 'CONFIG_INVALID', '--port', '80a', '65535'],
]

for (const [what, args, code, ...said] of rows) {
  refusals(`${what} is one line with its code`, async () => {
    const outcome = await run(['start', '--port', '0', ...args], {
      cwd: directory({ file: 'not a directory' }),
    })
    oneLine(outcome, code)
    for (const part of said) assert.match(outcome.err, part)
    assert.not.match(outcome.err, 'hunter2')
  })
}

refusals('an environment that names what does not exist', async () => {
  oneLine(await run(['start'], { env: { CARCOSA_PROT: '1' } }), 'CONFIG_INVALID')
})

refusals.run()

const heap = suite('the heap of carcosa start')

const reveals = {
  'carcosa.config.mjs':
    'console.log(JSON.stringify({ pid: process.pid, flags: process.execArgv, args: process.argv.slice(2) }))',
}

heap('is grown in place: same process, same arguments, same exit code', async () => {
  const started = command(['start', '--port', '7'], {
    cwd: directory(reveals),
    nodeArgs: ['--no-warnings'],
  })
  const { code, out, err } = await started.ended
  assert.equal(JSON.parse(out), {
    pid: started.child.pid,
    flags: ['--initial-old-space-size=256', '--no-warnings'],
    args: ['start', '--port', '7'],
  })
  assert.is(code, 1)
  assert.match(err, /^carcosa: CONFIG_INVALID: carcosa\.config\.mjs must export/)
})

heap('is left alone where the flag is given, in either spelling', async () => {
  for (const flag of ['--initial-old-space-size=64', '--initial_old_space_size=64']) {
    const { out } = await run(['start'], { cwd: directory(reveals), nodeArgs: [flag] })
    assert.equal(JSON.parse(out).flags, [flag])
  }
})

heap('is not grown for verbs that end soon', async () => {
  const { out } = await run(['routes'], { cwd: directory(reveals), nodeArgs: [] })
  assert.equal(JSON.parse(out).flags, [])
})

heap('npx runs the command of the checkout on the Node of the checkout', async () => {
  const { stdout } = await promisify(execFile)('npx', ['carcosa', 'version'], {
    cwd: root,
  })
  const pinned = JSON.parse(
    readFileSync(join(root, 'node_modules/node/package.json'), 'utf8'),
  )
  assert.match(stdout, `(node ${pinned.version})`)
})

heap.after(() => shared.drop())
heap.run()

function largestFile(path: string): number {
  const names = readdirSync(path, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile())
  return Math.max(
    ...files.map((entry) => statSync(join(entry.parentPath, entry.name)).size),
  )
}
