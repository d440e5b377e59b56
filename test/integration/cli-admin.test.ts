/** What operators see of `carcosa start`: the admin port, and the limits on its command line. */
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { command, type RunningServer, run, startServer } from '../support/command.ts'
import { metricKinds, parseMetrics } from '../support/metrics.ts'
import { postgres } from '../support/postgres.ts'
import { eventually, openRaw } from '../support/raw-http.ts'

const shared = await postgres()
const quick = ['--database', shared.url]
const tus = { 'Tus-Resumable': '1.0.0' }

const test = suite('carcosa start for operators')
test.after(() => shared.drop())

async function startWithAdmin(...args: string[]) {
  const server = await startServer([...quick, '--admin-port', '0', ...args])
  const [, admin = ''] = await server.printed(/admin +(http:\S+)\/metrics/)
  return { ...server, admin }
}

/** A PATCH that has begun and does not end. */
async function beginPatch(server: RunningServer) {
  const made = await fetch(`${server.url}/uploads/demo`, {
    method: 'POST',
    headers: { ...tus, 'Upload-Length': '100' },
  })
  const url = new URL(made.headers.get('location') ?? '', server.url)
  const outgoing = request(url, {
    method: 'PATCH',
    headers: {
      ...tus,
      'Upload-Offset': '0',
      'Content-Type': 'application/offset+octet-stream',
    },
  })
  outgoing.on('error', () => {})
  outgoing.write('hello')
  await eventually(
    async () => (await (await fetch(url)).json()).offset,
    (offset) => offset === 5,
  )
  return outgoing
}

test('without adminPort there is none, and no metrics for clients', async () => {
  const server = await startServer(quick)
  assert.is((await fetch(`${server.url}/metrics`)).status, 404)
  assert.is((await fetch(`${server.url}/healthz`)).status, 200)
  assert.is((await fetch(`${server.url}/readyz`)).status, 200)
  const { code, out } = await server.stop()
  assert.is(code, 0)
  assert.not.match(out, 'admin')
})

test('the admin port has metrics, of the process too, and both kinds of health', async () => {
  const server = await startWithAdmin()
  const made = await fetch(`${server.url}/uploads/demo`, {
    method: 'POST',
    headers: {
      ...tus,
      'Upload-Length': '1000',
      'Content-Type': 'application/offset+octet-stream',
    },
    body: randomBytes(1_000),
  })
  assert.is(made.status, 201)
  const answer = await fetch(`${server.admin}/metrics`)
  assert.is(answer.status, 200)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const text = await answer.text()
  const found = parseMetrics(text)
  assert.is(
    found.get('carcosa_bytes_received_total{route="demo",store="default"}'),
    1_000,
  )
  assert.ok((found.get('carcosa_connections_open') ?? 0) >= 1)
  assert.ok((found.get('process_resident_memory_bytes') ?? 0) > 10_000_000)
  assert.ok(metricKinds(text).has('nodejs_eventloop_lag_seconds'))
  const names = text.match(/^# TYPE \S+/gm) ?? []
  assert.is(new Set(names).size, names.length, 'no metric twice')

  const ready = await fetch(`${server.admin}/readyz`)
  assert.is(ready.status, 200)
  assert.equal((await ready.json()).checks.queue, { ok: true, worker: true })
  assert.is((await fetch(`${server.admin}/healthz`)).status, 200)
  assert.is((await fetch(`${server.admin}/nothing`)).status, 404)
  assert.is((await fetch(`${server.admin}/metrics`, { method: 'POST' })).status, 405)
  const head = await fetch(`${server.admin}/metrics`, { method: 'HEAD' })
  assert.is(head.status, 200)
  assert.is((await server.stop()).code, 0)
})

test('while it stops the admin port goes on answering, and says that it is not ready', async () => {
  const server = await startWithAdmin('--shutdown-timeout', '4s')
  const outgoing = await beginPatch(server)
  server.child.kill('SIGTERM')
  await server.printed(/Stopping/)
  const ready = await fetch(`${server.admin}/readyz`)
  assert.is(ready.status, 503)
  assert.equal((await ready.json()).failing, ['draining'])
  assert.is((await fetch(`${server.admin}/healthz`)).status, 200)
  assert.is((await fetch(`${server.admin}/metrics`)).status, 200)
  outgoing.destroy()
  assert.is((await server.ended).code, 0)
})

test('limits of connections hold as given, and what is beyond is counted', async () => {
  const server = await startWithAdmin('--max-connections-per-client', '2')
  const port = Number(new URL(server.url).port)
  const first = await Promise.all([openRaw(port), openRaw(port)])
  for (const raw of first) {
    raw.ask('GET', '/healthz')
    assert.is((await raw.answer()).status, 200)
  }
  await (await openRaw(port)).closed
  const found = parseMetrics(await (await fetch(`${server.admin}/metrics`)).text())
  assert.is(found.get('carcosa_connections_open'), 2)
  assert.is(found.get('carcosa_connections_refused_total{limit="client"}'), 1)
  await server.printed(/Too many connections/)
  for (const raw of first) raw.cut()
  assert.is((await server.stop()).code, 0)
})

test('a silent body is given up after idleTimeout', async () => {
  const server = await startWithAdmin('--idle-timeout', '500ms')
  const outgoing = await beginPatch(server)
  await eventually(
    () => outgoing.destroyed,
    (gone) => gone,
  )
  const found = parseMetrics(await (await fetch(`${server.admin}/metrics`)).text())
  const givenUp = [...found].filter(([name]) => name.includes('bodies_given_up'))
  assert.is(
    givenUp.reduce((sum, [, count]) => sum + count, 0),
    1,
  )
  assert.is((await server.stop()).code, 0)
})

test('a port for operators that is in use is told, and nothing is left running', async () => {
  const server = await startWithAdmin()
  const { port } = new URL(server.admin)
  const { code, err } = await run([
    'start',
    '--port',
    '0',
    '--admin-port',
    port,
    ...quick,
  ])
  assert.is(code, 1)
  assert.match(err, /^carcosa: LISTEN_FAILED: [^\n]+\n$/)
  assert.match(err, port)
  assert.is((await server.stop()).code, 0)
})

test('a worker has an admin port, too', async () => {
  const worker = command(['worker', ...quick, '--admin-port', '0'])
  const [, admin = ''] = await worker.printed(/admin +(http:\S+)\/metrics/)
  const ready = await fetch(`${admin}/readyz`)
  assert.is(ready.status, 200)
  assert.is((await ready.json()).checks.queue.worker, true)
  assert.match(await (await fetch(`${admin}/metrics`)).text(), 'carcosa_jobs_queued')
  worker.child.kill('SIGTERM')
  assert.is((await worker.ended).code, 0)
})

const wrong: [args: string[], says: RegExp][] = [
  [['--admin-port', 'x'], /--admin-port.*65535/],
  [['--max-connections=-1'], /--max-connections.*0 for no limit/],
  [['--max-connections-per-client', 'many'], /per-client.*whole number/],
  [['--trusted-proxies', '10.0.0.0/33'], /10\.0\.0\.0\/33.*networks/],
  [['--trusted-proxies', 'nginx.internal'], /nginx\.internal.*networks/],
  [['--idle-timeout', '60'], /--idle-timeout.*unit/],
  [['--idle-timeout', '60d'], /--idle-timeout.*24 days/],
  [['--min-upload-rate', 'fast'], /--min-upload-rate.*bytes a second/],
]
for (const [args, says] of wrong) {
  test(`${args.join(' ')} is refused with what is allowed`, async () => {
    const { code, err } = await run(['start', '--port', '0', ...args])
    assert.is(code, 1)
    assert.match(err, /^carcosa: CONFIG_INVALID: /)
    assert.match(err, says)
  })
}

test.run()
