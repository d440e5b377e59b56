/** How an upload begins: tickets, the verdict of a batch and of a POST, middleware. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { CarcosaError, createRouter, renamedFiles, route } from '../../src/index.ts'
import { begin, statusOf, upload } from '../support/lifecycle.ts'
import { metadataHeader, patch } from '../support/records.ts'
import { bearer, startServer, type TestServer } from '../support/server.ts'

const oldSecret = 'the-old-secret-of-more-than-32-characters'
const newSecret = 'the-new-secret-of-more-than-32-characters'

let middlewareRuns = 0
const router = createRouter({
  any: route({ blob: { maxFileSize: '1KB' } }).public(),
  mine: route({ blob: { maxFileSize: '1KB' } }).middleware(({ principal }) => ({
    who: principal.id,
  })),
  pictures: route({ image: { maxFileSize: '1KB', minFileSize: '10B' } }).public(),
  two: route({
    pdf: { maxFileSize: '1KB' },
    'text/plain': { maxFileSize: '100B' },
  }).public(),
  input: route({ blob: { maxFileSize: '1KB' } })
    .public()
    .input(z.object({ album: z.string().min(1) })),
  counted: route({ blob: { maxFileSize: '1KB', maxFileCount: 5 } })
    .public()
    .middleware(() => {
      middlewareRuns++
      return {}
    }),
  refusing: route({ blob: {} })
    .public()
    .middleware(() => {
      throw new CarcosaError('FORBIDDEN', { message: 'Your album is full.' })
    }),
  failing: route({ blob: {} })
    .public()
    .middleware(() => {
      throw new Error('a secret: hunter2')
    }),
  returning: route({ blob: {} })
    .public()
    // What a program without types can return.
    .middleware((() => 'text') as unknown as () => object),
  renaming: route({ blob: { maxFileCount: 2 } })
    .public()
    .middleware(({ files }) => ({
      [renamedFiles]: files.map((file) => ({ name: `new-${file.name}` })),
    }))
    .onUploadComplete(({ file }) => ({ name: file.name })),
})

let session = true
const auth = [
  {
    ...bearer,
    authenticate: (request: Parameters<typeof bearer.authenticate>[0]) =>
      session ? bearer.authenticate(request) : null,
  },
]

const test = suite('lifecycle: admission')
let server: TestServer
test.before(async () => {
  server = await startServer({ router, auth, secret: oldSecret })
})
test.after(() => server.close())
test.before.each(() => {
  session = true
})

interface Asked {
  name?: string
  size?: number | null
  type?: string
  input?: unknown
  headers?: Record<string, string>
}

async function prepare(on: TestServer, name: string, asked: Asked | Asked[]) {
  const batch = Array.isArray(asked) ? asked : [asked]
  const [{ input, headers = {} } = {}] = batch
  const answer = await on.doors.http({
    method: 'POST',
    path: `/uploads/${name}/prepare`,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({
      files: batch.map(({ name = 'a', size = 10, type = '' }) => ({ name, size, type })),
      input,
    }),
  })
  interface Verdict {
    code?: string
    errors?: { code: string }[]
    files?: { name: string; ticket?: string; error?: { code: string } }[]
  }
  // What `prepare` promises to answer, or a problem.
  const { code, errors = [], files = [] } = answer.json() as unknown as Verdict
  const refused = code ?? errors[0]?.code ?? files[0]?.error?.code
  return {
    verdict: refused ?? 'admitted',
    tickets: files.map(({ ticket = '' }) => ticket),
    files,
  }
}

async function post(on: TestServer, name: string, asked: Asked & { ticket?: string }) {
  const {
    name: filename = 'a',
    size = 10,
    type = '',
    input,
    headers = {},
    ticket,
  } = asked
  const metadata = metadataHeader({
    filename,
    filetype: type,
    ...(input !== undefined && { input: JSON.stringify(input) }),
  })
  const length: Record<string, string> =
    size === null ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(size) }
  const answer = await on.doors.http({
    method: 'POST',
    path: `/uploads/${name}`,
    headers: {
      ...length,
      'Upload-Metadata': metadata,
      ...headers,
      ...(ticket && { 'Upload-Ticket': ticket }),
    },
  })
  const verdict = answer.status === 201 ? 'admitted' : String(answer.json().code)
  return { verdict, url: answer.headers.location ?? '' }
}

const ann = { Authorization: 'Bearer ann' }

const verdicts: [route: string, asked: Asked, verdict: string][] = [
  ['any', {}, 'admitted'],
  ['any', { size: 0 }, 'admitted'],
  ['any', { size: 1024 }, 'admitted'],
  ['any', { size: 1025 }, 'FILE_TOO_LARGE'],
  ['any', { size: null }, 'admitted'],
  ['any', { type: 'no type at all' }, 'admitted'],
  ['nowhere', {}, 'ROUTE_NOT_FOUND'],
  ['mine', {}, 'UNAUTHENTICATED'],
  ['mine', { headers: { Authorization: 'Basic x' } }, 'UNAUTHENTICATED'],
  ['mine', { headers: { Authorization: 'Bearer expired' } }, 'UNAUTHENTICATED'],
  ['mine', { headers: ann }, 'admitted'],
  // Limits come after the question who it is: a stranger learns nothing of the route.
  ['mine', { size: 9999 }, 'UNAUTHENTICATED'],
  ['mine', { size: 9999, headers: ann }, 'FILE_TOO_LARGE'],
  ['pictures', { type: 'image/png' }, 'admitted'],
  ['pictures', { name: 'a.png' }, 'admitted'],
  ['pictures', { type: 'image/png', size: 9 }, 'FILE_TOO_SMALL'],
  ['pictures', { type: 'text/html' }, 'TYPE_NOT_ALLOWED'],
  ['pictures', { name: 'a.exe' }, 'TYPE_NOT_ALLOWED'],
  ['pictures', {}, 'TYPE_NOT_ALLOWED'],
  ['two', { type: 'text/plain', size: 100 }, 'admitted'],
  ['two', { type: 'text/plain', size: 101 }, 'FILE_TOO_LARGE'],
  ['two', { type: 'application/pdf', size: 101 }, 'admitted'],
  ['two', { type: 'Text/PLAIN; charset=utf-8' }, 'admitted'],
  ['input', {}, 'INPUT_INVALID'],
  ['input', { input: null }, 'INPUT_INVALID'],
  ['input', { input: { album: '' } }, 'INPUT_INVALID'],
  ['input', { input: { album: 5 } }, 'INPUT_INVALID'],
  ['input', { input: { album: 'a' } }, 'admitted'],
  ['refusing', {}, 'FORBIDDEN'],
  ['failing', {}, 'MIDDLEWARE_FAILED'],
  ['returning', {}, 'MIDDLEWARE_FAILED'],
]

for (const [name, asked, verdict] of verdicts) {
  test(`${name} ${JSON.stringify(asked)}: ${verdict}, by prepare and by POST`, async () => {
    assert.is((await prepare(server, name, asked)).verdict, verdict)
    assert.is((await post(server, name, asked)).verdict, verdict)
  })
}

test('middleware runs once for a batch, and not again for its tickets', async () => {
  middlewareRuns = 0
  const { tickets } = await prepare(server, 'counted', [{}, {}, {}])
  for (const ticket of tickets) await post(server, 'counted', { ticket })
  assert.is(middlewareRuns, 1)
  assert.is(new Set(tickets).size, 3)
})

test('middleware does not run for what the limits refuse', async () => {
  middlewareRuns = 0
  await prepare(server, 'counted', { size: 5_000 })
  await post(server, 'counted', { size: 5_000 })
  assert.is(middlewareRuns, 0)
})

test('what middleware throws reaches the client only where it is meant for them', async () => {
  const meant = await server.doors.http({
    method: 'POST',
    path: '/uploads/refusing',
    headers: { 'Upload-Length': '1' },
  })
  assert.is(meant.json().detail, 'Your album is full.')
  const failed = await server.doors.http({
    method: 'POST',
    path: '/uploads/failing',
    headers: { 'Upload-Length': '1' },
  })
  assert.is(failed.status, 500)
  assert.not.match(failed.text, 'hunter2')
  assert.match(failed.text, 'failing')
})

test('middleware may rename files: for the record, the callback and the answer', async () => {
  const { files, tickets } = await prepare(server, 'renaming', [
    { name: 'a' },
    { name: 'b' },
  ])
  assert.equal(
    files.map(({ name }) => name),
    ['new-a', 'new-b'],
  )
  const { url } = await post(server, 'renaming', { name: 'b', ticket: tickets[1] ?? '' })
  assert.is((await server.row(url)).filename, 'new-b')

  const made = await upload(server, 'renaming', {
    body: 'x',
    metadata: { filename: 'c' },
  })
  const { name, serverData } = await statusOf(server, made, 5)
  assert.is(name, 'new-c')
  assert.equal(serverData, { name: 'new-c' })
})

test('with its ticket an owned upload goes on after the session ended', async () => {
  const { tickets } = await prepare(server, 'mine', { headers: ann })
  const ticket = { 'Upload-Ticket': tickets[0] ?? '' }
  const { url } = await post(server, 'mine', { headers: ann, ticket: tickets[0] ?? '' })
  session = false
  const exchange = server.doors.http
  assert.is((await exchange({ method: 'HEAD', path: url })).status, 404)
  const sent = await patch(exchange, url, {
    offset: 0,
    body: '0123456789',
    headers: ticket,
  })
  assert.is(sent.status, 204)
  const status = await exchange({ method: 'GET', path: `${url}?wait=5`, headers: ticket })
  assert.is(status.json().state, 'ready')
  assert.match(String(status.json().url), 'signature=')
  const row = await server.row(url)
  assert.is(row.ownerId, 'ann')
  assert.equal(row.metadata, { who: 'ann' })
})

test('without its ticket it is not there for others, with the session it is', async () => {
  const made = await begin(server, 'mine', { length: 10, headers: ann })
  const exchange = server.doors.http
  const asBob = { Authorization: 'Bearer bob' }
  const head = (headers: Record<string, string>) =>
    exchange({ method: 'HEAD', path: made.url, headers })
  assert.is((await head(ann)).status, 200)
  assert.is((await head(asBob)).status, 404)
})

test('a replayed creation that was lost answers with the upload it made, also later', async () => {
  const { tickets } = await prepare(server, 'any', {})
  const first = await post(server, 'any', { ticket: tickets[0] ?? '' })
  await patch(server.doors.http, first.url, { offset: 0, body: '0123456789' })
  const again = await post(server, 'any', { ticket: tickets[0] ?? '' })
  assert.is(again.url, first.url)
  assert.is((await server.row(first.url)).state, 'ready')
  const rows = await server.uploads.db.prisma.file.count({
    where: { batchId: (await server.row(first.url)).batchId },
  })
  assert.is(rows, 1)
})

test('twenty creations with one ticket at once make one upload', async () => {
  const { tickets } = await prepare(server, 'any', {})
  const ticket = tickets[0] ?? ''
  const all = await Promise.all(
    Array.from({ length: 20 }, () => post(server, 'any', { ticket })),
  )
  assert.is(new Set(all.map(({ url }) => url)).size, 1)
  assert.ok(all.every(({ verdict }) => verdict === 'admitted'))
})

test('tickets and links of before a rotation are good after it', async () => {
  const rotated = await startServer({ router, auth, secret: [newSecret, oldSecret] })
  try {
    const { tickets } = await prepare(server, 'mine', { headers: ann })
    const { verdict, url } = await post(rotated, 'mine', { ticket: tickets[0] ?? '' })
    assert.is(verdict, 'admitted')
    assert.is((await rotated.row(url)).ownerId, 'ann')
    const fresh = await prepare(rotated, 'mine', { headers: ann })
    const before = await post(server, 'mine', { ticket: fresh.tickets[0] ?? '' })
    assert.is(before.verdict, 'TICKET_INVALID')
  } finally {
    await rotated.close()
  }
})

test.run()
