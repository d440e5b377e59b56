/** Every example does what it shows: each is started, uploaded through, and looked into. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { createCarcosa, createRouter, route } from 'carcosa'
import { type ClientOptions, createClient } from 'carcosa/client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addToAlbum } from '../../examples/client/upload.ts'
import { encrypted } from '../../examples/custom-store/encrypted.ts'
import { start as startExpress } from '../../examples/express/server.ts'
import { start as startFastify } from '../../examples/fastify/server.ts'
import { start as startMinimal } from '../../examples/minimal/server.ts'
import { archive } from '../../examples/remote/archive.ts'
import { start as startStores } from '../../examples/stores/server.ts'
import { file } from '../../stores/file.ts'
import { memory } from '../../stores/memory.ts'
import { testStore } from '../../stores/testing.ts'
import { run, startServer } from '../support/command.ts'
import { embedded, runExample } from '../support/example.ts'
import { type Exchange, overFetch } from '../support/exchange.ts'
import { codeBlocks } from '../support/markdown.ts'
import { partService, partStore } from '../support/part-store.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { eventually } from '../support/raw-http.ts'
import { requires } from '../support/requirements.ts'
import { startS3Fake } from '../support/s3-fake.ts'

const directory = mkdtempSync(join(tmpdir(), 'carcosa-examples-'))
const examples = join(import.meta.dirname, '../../examples')
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const photo = join(directory, 'lake-of-hali.png')
writeFileSync(photo, png)
const song = new File(['Along the shore the cloud waves break'], 'song.txt')

/** The folders of examples/, each with what is tested of it below. */
const tested: Record<string, string> = {
  minimal: 'plain node:http',
  express: 'in Express',
  client: 'the typed client',
  fastify: 'in Fastify',
  next: 'Request and Response',
  standalone: 'carcosa start',
  stores: 'two stores',
  'custom-store': 'a store of one’s own',
  remote: 'from another server',
  auth: 'in examples-auth.test.ts',
  accounts: 'in examples-accounts.test.ts',
}

const registry = suite('the folder examples')
registry('has no example that is not tested here', () => {
  // Of deploy there is nothing to mount: see test/unit/deploy, deploy-image and e2e/topology.
  const all = [...Object.keys(tested), 'deploy']
  assert.equal(readdirSync(examples).sort(), all.sort())
})
registry.run()

interface Context {
  database: TestDatabase
  options: { database: string; dataDir: string }
}

const inProcess = requires('postgres', suite<Context>('an example in this process'))
inProcess.before.each(async (context) => {
  context.database = await postgres()
  const dataDir = mkdtempSync(join(directory, 'data-'))
  context.options = { database: context.database.url, dataDir }
})
inProcess.after.each(({ database }) => database.drop())

inProcess(`minimal: ${tested.minimal}`, async ({ options }) => {
  const { server, carcosa } = await startMinimal(0, options)
  const client = impatient(`http://127.0.0.1:${portOf(server)}`)
  const { files } = await client.upload('texts', [song])
  assert.equal(files[0]?.serverData, { characters: song.size })
  assert.is(await (await fetch(files[0]?.url ?? '')).text(), await song.text())
  await assertCode('TYPE_NOT_ALLOWED', () =>
    client.upload('texts', [new File([png], 'a.png')]),
  )
  server.closeAllConnections()
  server.close()
  await carcosa.close()
})

inProcess(`express: ${tested.express}; client: ${tested.client}`, async ({ options }) => {
  const { server, carcosa } = await startExpress(0, options)
  const origin = `http://127.0.0.1:${portOf(server)}`
  const media = `${origin}/media`
  const [id = ''] = await addToAlbum(media, 'session-of-cassilda', [photo])
  const record = await carcosa.api.files.get(id)
  assert.is(record?.ownerId, 'cassilda')
  assert.is(record?.contentType, 'image/png')
  assert.equal(record?.metadata, { albumId: 'hali', ownerId: 'cassilda' })

  const owner = { headers: { Authorization: 'Bearer session-of-cassilda' } }
  const other = { headers: { Authorization: 'Bearer session-of-camilla' } }
  const { url } = await (await fetch(`${origin}/photos/${id}/link`, owner)).json()
  const opened = await fetch(origin + url)
  assert.equal(Buffer.from(await opened.arrayBuffer()), png)
  assert.is((await fetch(`${media}/files/${id}`)).status, 404)
  assert.is((await fetch(`${origin}/photos/${id}/link`, other)).status, 404)
  assert.is((await fetch(`${origin}/photos/${id}/link`)).status, 404)

  await assertCode('FORBIDDEN', () => addToAlbum(media, 'session-of-camilla', [photo]))
  await assertCode('UNAUTHENTICATED', () => addToAlbum(media, 'nobody', [photo]))
  server.closeAllConnections()
  server.close()
  await carcosa.close()
})

inProcess(`stores: ${tested.stores}`, async ({ options }) => {
  const bucket = await startS3Fake({ bucket: 'media' })
  const environment = {
    AWS_ENDPOINT_URL_S3: bucket.endpoint,
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
  }
  Object.assign(process.env, environment)
  const { server, carcosa } = await startStores(0, options)
  const client = impatient(`http://127.0.0.1:${portOf(server)}`)
  const { files } = await client.upload('photos', [new File([png], 'hali.png')])
  const shown = await fetch(files[0]?.url ?? '')
  assert.ok(shown.redirected)
  assert.ok(shown.url.startsWith(bucket.endpoint))
  assert.equal(Buffer.from(await shown.arrayBuffer()), png)

  const papers = await client.upload('papers', [song])
  const key = `uploads/${papers.files[0]?.id}`
  await eventually(
    () => bucket.objects.has(key),
    (copied) => copied,
  )
  assert.is(bucket.objects.get(key)?.bytes.toString(), await song.text())
  assert.is(await (await fetch(papers.files[0]?.url ?? '')).text(), await song.text())
  for (const name of Object.keys(environment)) delete process.env[name]
  server.closeAllConnections()
  server.close()
  await carcosa.close()
  await bucket.close()
})

inProcess(`fastify: ${tested.fastify}`, async ({ options }) => {
  const app = await startFastify(0, options)
  const url = `http://127.0.0.1:${portOf(app.server)}`
  // In two pieces, so that every verb of tus passes through Fastify.
  const client = impatient(`${url}/media`, { chunkSize: 20 })
  const { files } = await client.upload('notes', [song])
  assert.equal(files[0]?.serverData, { noteId: files[0]?.id })
  const [file] = files
  assert.is(await (await fetch(file?.url ?? '')).text(), await song.text())
  assert.is(
    (await fetch(`${url}/files/${file?.id}`)).status,
    404,
    'the rest is Fastify’s',
  )
  await app.close()
})

inProcess(`next: ${tested.next}`, async ({ options }) => {
  process.env.CARCOSA_DATABASE = options.database
  process.env.CARCOSA_DATA_DIR = options.dataDir
  const handlers: Record<string, (request: Request) => Promise<Response>> = await import(
    '../../examples/next/route.ts'
  )
  const { getCarcosa } = await import('../../examples/next/carcosa.ts')
  const ask = overFetch((request) => {
    const handler = handlers[request.method]
    if (!handler) throw new Error(`route.ts exports no ${request.method}`)
    return handler(request)
  })
  const location = await uploadInTwo(ask, '/media/uploads/avatar')
  const status = (await ask({ method: 'GET', path: `${location}?wait=10` })).json()
  const { url } = status.serverData as { url: string }
  assert.is(status.state, 'ready')
  assert.equal((await ask({ method: 'GET', path: url })).bytes, png)
  assert.is((await ask({ method: 'DELETE', path: location })).status, 403)
  assert.is((await ask({ method: 'OPTIONS', path: '/media/uploads/avatar' })).status, 204)
  await (await getCarcosa()).close()
  delete process.env.CARCOSA_DATABASE
  delete process.env.CARCOSA_DATA_DIR
})
inProcess(`remote: ${tested.remote}`, async ({ options }) => {
  const router = createRouter({ report: route({ text: { maxFileSize: '1MB' } }) })
  const carcosa = await createCarcosa({ router, worker: false, ...options })
  const server = createServer(carcosa.handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { token } = await carcosa.api.keys.create({ name: 'archive' })
  const path = join(directory, 'report.csv')
  writeFileSync(path, 'star,mass\naldebaran,1.16\n')
  const url = `http://127.0.0.1:${portOf(server)}`
  const example = join(examples, 'remote/archive.ts')
  const env = { ...process.env, URL: url, CARCOSA_API_KEY: token }
  // Twice on one day.
  for (const _ of [1, 2]) {
    const { stdout } = await promisify(execFile)(process.execPath, [example, path], {
      env,
    })
    const kept = await (await fetch(stdout.trim())).text()
    assert.match(kept, /aldebaran/)
  }
  const { files } = await carcosa.api.files.list({ tag: 'report' })
  assert.is(files.length, 1)
  assert.match(await archive(carcosa.api, path, 'another day'), /^\/files\//)
  server.closeAllConnections()
  server.close()
  await carcosa.close()
})

inProcess.run()

const custom = suite('the store of the example custom-store')
const secret = randomBytes(32)
const partSize = 100_000
testStore({
  test: custom,
  create() {
    const place = mkdtempSync(join(directory, 'sealed-'))
    const open = () => encrypted(file({ directory: place }), secret)
    return { store: open(), reopen: open }
  },
})
testStore({
  test: (title, run) => custom(`in parts: ${title}`, run),
  create: () => encrypted(partStore(partService(), { partSize }), secret),
  options: { partSize },
})
custom('nobody reads what it keeps', async () => {
  const inner = memory()
  const store = encrypted(inner, secret)
  const words = Buffer.from('Strange is the night where black stars rise')
  for (const key of ['first', 'second']) await store.put(key, words, {})
  const kept = [...inner.objects.values()].map(({ bytes }) => bytes)
  assert.is(kept[0]?.length, words.length)
  assert.not(kept.some((bytes) => bytes.includes(words.subarray(0, 4))))
  assert.not(kept[0]?.equals(kept[1] ?? Buffer.of()), 'equal bytes are not seen to be')
  const other = await encrypted(inner, randomBytes(32)).open('first')
  assert.ok(other)
  assert.not((await buffer(other.stream)).equals(words))
  assert.throws(() => encrypted(inner, Buffer.from('short')), /32 bytes/)
})
custom.run()

const started = suite('an example that is started as it says')

started('custom-store/encrypted.test.ts', async () => {
  const path = join(examples, 'custom-store/encrypted.test.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', path], {
    // Else it would report to a runner that is not there.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  })
  assert.match(stdout, /pass [1-9]\d+\n/)
  assert.match(stdout, /fail 0\n/)
})

started(`custom-store: ${tested['custom-store']}`, async () => {
  const config = join(examples, 'custom-store/carcosa.config.ts')
  const cwd = mkdtempSync(join(directory, 'custom-store-'))
  const env = { ...embedded(cwd), STORE_SECRET: secret.toString('base64') }
  const server = await startServer(['--config', config], { cwd, env })
  const { files } = await impatient(server.url).upload('letter', [song])
  const range = { headers: { Range: 'bytes=6-14' } }
  const url = files[0]?.url ?? ''
  assert.is(await (await fetch(url)).text(), await song.text())
  assert.is(await (await fetch(url, range)).text(), (await song.text()).slice(6, 15))
  const letters = join(cwd, 'letters')
  const kept = readdirSync(letters, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
  assert.equal(
    kept.map(({ length }) => length),
    [song.size],
  )
  assert.not(kept[0]?.includes('shore'))
  await server.stop()
})

for (const [path, mount, route] of [
  ['minimal/server.ts', '', 'texts'],
  ['express/server.ts', '/media', 'photo'],
  ['fastify/server.ts', '/media', 'notes'],
] as const) {
  started(path, async () => {
    const example = await runExample(path, mkdtempSync(join(directory, 'data-')))
    const { routes } = await (await fetch(`${example.url}${mount}/routes`)).json()
    assert.equal(Object.keys(routes), [route])
    await example.stop()
  })
}

started('client/upload.ts', async () => {
  const example = await runExample(
    'express/server.ts',
    mkdtempSync(join(directory, 'd-')),
  )
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(examples, 'client/upload.ts'), photo],
    { env: { ...process.env, URL: `${example.url}/media` } },
  )
  assert.match(stdout, /100 %\n\[ '[\w-]{20,}' \]\n$/)
  await example.stop()
})

started(`standalone: ${tested.standalone}`, async () => {
  const config = join(examples, 'standalone/carcosa.config.ts')
  const cwd = mkdtempSync(join(directory, 'standalone-'))
  const env = embedded(cwd)
  const server = await startServer(['--config', config], { cwd, env })
  const csv = join(cwd, 'a.csv')
  writeFileSync(csv, 'star,mass\naldebaran,1.16\n')
  const sent = await run(['upload', csv, '--route', 'report', '--to', server.url], {
    cwd,
    env: { XDG_CACHE_HOME: cwd },
  })
  assert.is(sent.code, 0, sent.err)
  assert.is(readdirSync(join(cwd, 'reports')).length, 1)
  await server.stop()
})
started('npm start prints what the README shows', async () => {
  const cwd = mkdtempSync(join(directory, 'npm-start-'))
  const server = await startServer([], { cwd })
  const { out } = await server.stop()
  const printed = out
    .replaceAll(cwd, '/home/you/carcosa')
    .replaceAll(server.url, 'http://127.0.0.1:8080')
  const readme = readFileSync(join(examples, '../README.md'), 'utf8')
  assert.is(codeBlocks(readme).find(({ language }) => language === 'text')?.text, printed)
})
started.run()

process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

/** A client that does not make a test wait. */
function impatient(url: string, options: Partial<ClientOptions> = {}) {
  return createClient({ url, retry: { attempts: 2, minDelay: 10 }, ...options })
}

function portOf(server: { address(): unknown }): number {
  // It listens on TCP.
  return (server.address() as AddressInfo).port
}

async function assertCode(code: string, work: () => Promise<unknown>): Promise<void> {
  const outcome = await work().then(
    () => 'it was allowed',
    (error) => error.code,
  )
  assert.is(outcome, code)
}

/** Creates an upload of the picture, sends a part, asks, and sends the rest. */
async function uploadInTwo(ask: Exchange, path: string): Promise<string> {
  const type = Buffer.from('image/png').toString('base64')
  const created = await ask({
    method: 'POST',
    path,
    headers: { 'Upload-Length': String(png.length), 'Upload-Metadata': `type ${type}` },
  })
  assert.is(created.status, 201, created.text)
  const { location = '' } = created.headers
  for (const [from, to] of [
    [0, 30],
    [30, png.length],
  ] as const) {
    const { headers } = await ask({ method: 'HEAD', path: location })
    assert.is(headers['upload-offset'], String(from))
    const sent = await ask({
      method: 'PATCH',
      path: location,
      headers: {
        'Upload-Offset': String(from),
        'Content-Type': 'application/offset+octet-stream',
      },
      body: png.subarray(from, to),
    })
    assert.is(sent.status, 204, sent.text)
  }
  return location
}
