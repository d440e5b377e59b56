/**
 * Who may do what to whose uploads and files, as a table: row SEC-6, promise P6. A cell is the
 * status for one's own, a foreign and an unknown one. What is not to be seen is answered, byte for
 * byte, as if it did not exist.
 */
import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiKeys } from '../../src/auth/api-keys.ts'
import { jwt } from '../../src/auth/jwt.ts'
import type { NewApiKey } from '../../src/auth/keys.ts'
import { newId } from '../../src/shared/ids.ts'
import type { Answered, Asked } from '../support/exchange.ts'
import { codes, table as rowsOf } from '../support/markdown.ts'
import { created, offsetStream } from '../support/records.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** Columns: requests on an upload under way, then (file) on a finished one; POST and prepare have no id. */
const table = `
caller                      | HEAD        | PATCH       | DELETE      | GET         | finish      | DELETE file | status file | GET file    | HEAD file   | POST | prepare
nobody                      | 200 404 404 | 204 404 404 | 204 404 404 | 200 404 404 | 403 404 404 | 403 404 404 | 200 404 404 | 404 404 404 | 404 404 404 | 401  | 401
a user                      | 200 404 404 | 204 404 404 | 204 404 404 | 200 404 404 | 400 404 404 | 204 404 404 | 200 404 404 | 200 404 404 | 200 404 404 | 201  | 200
a guest                     | 200 404 404 | 204 404 404 | 204 404 404 | 200 404 404 | 400 404 404 | 204 404 404 | 200 404 404 | 200 404 404 | 200 404 404 | 401  | 401
a viewer                    | 403 403 404 | 403 403 404 | 403 403 404 | 200 200 404 | 403 403 404 | 403 403 404 | 200 200 404 | 200 200 404 | 200 200 404 | 403  | 403
a member                    | 200 403 404 | 204 403 404 | 204 403 404 | 200 200 404 | 400 403 404 | 204 403 404 | 200 200 404 | 200 200 404 | 200 200 404 | 201  | 200
a developer                 | 200 403 404 | 204 403 404 | 204 204 404 | 200 200 404 | 400 403 404 | 204 204 404 | 200 200 404 | 200 200 404 | 200 200 404 | 201  | 200
an admin                    | 200 403 404 | 204 403 404 | 204 204 404 | 200 200 404 | 400 403 404 | 204 204 404 | 200 200 404 | 200 200 404 | 200 200 404 | 201  | 200
an owner                    | 200 403 404 | 204 403 404 | 204 204 404 | 200 200 404 | 400 403 404 | 204 204 404 | 200 200 404 | 200 200 404 | 200 200 404 | 201  | 200
billing                     | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 403  | 403
a user elsewhere            | 200 404 404 | 204 404 404 | 204 404 404 | 200 404 404 | 400 404 404 | 204 404 404 | 200 404 404 | 200 404 404 | 200 404 404 | 201  | 200
an owner elsewhere          | 200 404 404 | 204 404 404 | 204 404 404 | 200 404 404 | 400 404 404 | 204 404 404 | 200 404 404 | 200 404 404 | 200 404 404 | 201  | 200
a user who moved            | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 201  | 200
a role that is unknown      | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 403  | 403
a token that expired        | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401  | 401
it, with a ticket           | 200 401 401 | 204 401 401 | 204 401 401 | 200 401 401 | 400 401 401 | 204 401 401 | 200 401 401 | 401 401 401 | 401 401 401 | 201  | 401
a ticket alone              | 200 404 404 | 204 404 404 | 204 404 404 | 200 404 404 | 400 404 404 | 204 404 404 | 200 404 404 | 404 404 404 | 404 404 404 | 201  | 401
a key                       | 200 403 404 | 204 403 404 | 204 204 404 | 200 200 404 | 400 403 404 | 204 204 404 | 200 200 404 | 200 200 404 | 200 200 404 | 201  | 200
a key elsewhere             | 200 404 404 | 204 404 404 | 204 404 404 | 200 404 404 | 400 404 404 | 204 404 404 | 200 404 404 | 200 404 404 | 200 404 404 | 201  | 200
a key for another route     | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 404 404 404 | 403  | 403
a key that uploads          | 200 404 404 | 204 404 404 | 204 404 404 | 200 404 404 | 400 404 404 | 403 404 404 | 200 404 404 | 200 404 404 | 200 404 404 | 201  | 200
a key that reads            | 403 403 404 | 403 403 404 | 403 403 404 | 200 200 404 | 403 403 404 | 403 403 404 | 200 200 404 | 200 200 404 | 200 200 404 | 403  | 403
a key that reads its own    | 403 404 404 | 403 404 404 | 403 404 404 | 200 404 404 | 403 404 404 | 403 404 404 | 200 404 404 | 200 404 404 | 200 404 404 | 403  | 403
a key that expired          | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401  | 401
a key that was revoked      | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401  | 401
its ticket                  | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 404 404 404 | 404 404 404 | 401  | 401
a key that was replaced     | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401 401 401 | 401  | 401
`

const [header = [], ...rows] = table
  .trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
const titles = header.slice(1)

/** Each column as a request; what is sent is the same for everybody. */
const requests: Record<string, (route: string, id: string) => Asked> = {
  HEAD: (route, id) => ({ method: 'HEAD', path: `/uploads/${route}/${id}` }),
  PATCH: (route, id) => ({
    method: 'PATCH',
    path: `/uploads/${route}/${id}`,
    headers: { 'Upload-Offset': '2', 'Content-Type': offsetStream },
    body: 'llo',
  }),
  DELETE: (route, id) => ({ method: 'DELETE', path: `/uploads/${route}/${id}` }),
  GET: (route, id) => ({ method: 'GET', path: `/uploads/${route}/${id}` }),
  finish: (route, id) => json(`/uploads/${route}/${id}/finish`, { receipts: [] }),
  'DELETE file': (route, id) => ({ method: 'DELETE', path: `/uploads/${route}/${id}` }),
  'status file': (route, id) => ({ method: 'GET', path: `/uploads/${route}/${id}` }),
  'GET file': (_route, id) => ({ method: 'GET', path: `/files/${id}` }),
  'HEAD file': (_route, id) => ({ method: 'HEAD', path: `/files/${id}` }),
  POST: () => ({
    method: 'POST',
    path: '/uploads/mine',
    headers: { 'Upload-Length': '5' },
  }),
  prepare: () => json('/uploads/mine/prepare', batch),
}
const batch = { files: [{ name: 'a', size: 5, type: '' }] }
const json = (path: string, body: unknown): Asked => ({
  method: 'POST',
  path,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
})

/** Somebody, who may have become another since they made what is theirs. */
interface Caller {
  /** What is theirs, in this project. */
  id: string
  projectId?: string
  headers: Record<string, string>
  /** They come with the ticket of what is theirs. */
  ticket?: boolean
  /** Happens when everything of theirs is made. */
  after?(): Promise<unknown>
}

const secret = 'the secret that this test and its server share'
const bearing = (token: string) => ({ Authorization: `Bearer ${token}` })

async function token(sub: string, claims: Record<string, unknown> = {}, exp = '1h') {
  const made = new SignJWT({ sub, ...claims }).setProtectedHeader({ alg: 'HS256' })
  return made
    .setExpirationTime(exp === 'past' ? 1_000_000 : exp)
    .sign(createSecretKey(Buffer.from(secret)))
}

const tokens = jwt({
  secret,
  issuer: null,
  audience: null,
  principal: ({ sub = '', role, project, guest }) => ({
    id: sub,
    kind: guest ? 'anonymous' : 'user',
    ...(typeof role === 'string' && { role }),
    ...(typeof project === 'string' && { projectId: project }),
  }),
})

async function user(claims: Record<string, unknown> = {}): Promise<Caller> {
  const id = newId()
  const projectId = typeof claims.project === 'string' ? claims.project : 'default'
  return { id, projectId, headers: bearing(await token(id, claims)) }
}

async function key(more: Partial<NewApiKey> = {}): Promise<Caller> {
  const made = await server.carcosa.api.keys.create({ name: 'key', ...more })
  return { id: made.id, projectId: made.projectId, headers: bearing(made.token) }
}

const elsewhere = { project: 'p2' }

const callers: Record<string, () => Promise<Caller>> = {
  nobody: async () => ({ id: '', headers: {} }),
  'a user': () => user(),
  'a guest': () => user({ guest: true }),
  'a viewer': () => user({ role: 'viewer' }),
  'a member': () => user({ role: 'member' }),
  'a developer': () => user({ role: 'developer' }),
  'an admin': () => user({ role: 'admin' }),
  'an owner': () => user({ role: 'owner' }),
  billing: () => user({ role: 'billing' }),
  'a user elsewhere': () => user(elsewhere),
  'an owner elsewhere': () => user({ ...elsewhere, role: 'owner' }),
  'a user who moved': async () => ({ ...(await user(elsewhere)), projectId: 'default' }),
  'a role that is unknown': () => user({ role: 'authenticated' }),
  'a token that expired': async () => {
    const id = newId()
    return { id, headers: bearing(await token(id, {}, 'past')) }
  },
  'it, with a ticket': async () => {
    const id = newId()
    return { id, headers: bearing(await token(id, {}, 'past')), ticket: true }
  },
  'a ticket alone': async () => ({ id: newId(), headers: {}, ticket: true }),
  'a key': () => key(),
  'a key elsewhere': () => key({ projectId: 'p2' }),
  'a key for another route': () => key({ scopes: { routes: ['demo'] } }),
  'a key that uploads': () => key({ scopes: { actions: ['uploads.create'] } }),
  'a key that reads': () => key({ scopes: { actions: ['files.read'] } }),
  'a key that reads its own': () => key({ scopes: { actions: ['files.read.own'] } }),
  'a key that expired': () => key({ expiresIn: 1 }),
  'a key that was revoked': async () => {
    const caller = await key()
    return { ...caller, after: () => server.carcosa.api.keys.revoke(caller.id) }
  },
  'its ticket': async () => {
    const caller = await key()
    const after = () => server.carcosa.api.keys.revoke(caller.id)
    return { ...caller, headers: {}, ticket: true, after }
  },
  'a key that was replaced': async () => {
    const caller = await key()
    const after = () => server.carcosa.api.keys.rotate(caller.id, { overlap: 0 })
    return { ...caller, after }
  },
}

const test = suite('isolation')
let server: TestServer
test.before(async () => {
  server = await startServer({ auth: [apiKeys(), tokens] })
  await server.uploads.db.prisma.project.create({ data: { id: 'p2', name: 'Two' } })
})
test.after(() => server.close())

/** An upload with two of five bytes, or a whole file. Made with a ticket, which says whose it is. */
async function make({ id, projectId = 'default' }: Caller, isFile: boolean) {
  const { http } = server.doors
  const length = 5
  const bytes = isFile ? 'hello' : 'he'
  if (id === '') {
    const url = await created(http, { route: 'private', length, bytes })
    return { route: 'private', id: url.split('/').pop() ?? '', ticket: '' }
  }
  const ticket = await ticketFor(id, projectId)
  const headers = { 'Upload-Ticket': ticket }
  const url = await created(http, { route: 'mine', length, bytes, headers })
  return { route: 'mine', id: url.split('/').pop() ?? '', ticket }
}

function ticketFor(ownerId: string, projectId: string): Promise<string> {
  const agreed = {
    filename: 'a',
    declaredType: null,
    size: 5,
    contentDisposition: 'inline',
    acl: 'private',
    storeName: 'default',
    input: null,
    metadata: null,
  } as const
  return server.uploads.tickets.issue(
    { ...agreed, ownerId, projectId, route: 'mine', batchId: newId(), batchIndex: 0 },
    new Date(Date.now() + 60_000),
  )
}

for (const [name = '', ...cells] of rows) {
  test(`${name}`, async () => {
    const caller = await of(callers, name)()
    const stranger = { id: newId(), headers: {} }
    const places = []
    for (const title of titles) {
      const isFile = title.endsWith('file')
      const [own, foreign] = [await make(caller, isFile), await make(stranger, isFile)]
      const spare = await ticketFor(caller.id || newId(), caller.projectId ?? 'default')
      places.push({ title, own, foreign, spare })
    }
    await caller.after?.()

    const found: string[] = []
    for (const { title, own, foreign, spare } of places) {
      const ask = (route: string, id: string, ticket: string) => {
        const asked = of(requests, title)(route, id)
        const headers = { 'X-Request-Id': 'same', ...asked.headers, ...caller.headers }
        const more: Record<string, string> = caller.ticket
          ? { 'Upload-Ticket': ticket }
          : {}
        return server.doors.http({ ...asked, headers: { ...headers, ...more } })
      }
      if (title === 'POST' || title === 'prepare') {
        found.push(String((await ask('', '', spare)).status))
        continue
      }
      const answers = [
        await ask(own.route, own.id, own.ticket),
        await ask('mine', foreign.id, own.ticket),
        await ask('mine', newId(), own.ticket),
      ] as const
      found.push(answers.map(({ status }) => status).join(' '))
      const [, theirs, nothing] = answers
      if (theirs.status === nothing.status) {
        assert.equal(seen(theirs), seen(nothing), `${title}: foreign and unknown differ`)
      }
      await requireUntouched(foreign.id, title, theirs)
    }
    const line = (all: readonly string[]) => all.map((cell, i) => `${titles[i]}: ${cell}`)
    assert.equal(line(found), line(cells))
  })
}

function of<T>(table: Record<string, T>, name: string): T {
  const found = table[name]
  if (found === undefined) throw new TypeError(`nothing is known of "${name}"`)
  return found
}

/** All that a client gets to see, but for the time. */
function seen({ status, headers, text }: Answered) {
  const { date, ...others } = headers
  return { status, others, text }
}

/** A refusal is not only said. */
async function requireUntouched(id: string, title: string, { status }: Answered) {
  if (status < 400) return
  const { state, offset } = await server.row(id)
  const expected = title.endsWith('file') ? ['ready', 5] : ['receiving', 2]
  assert.equal([state, offset], expected, `${title} of a foreign upload`)
}

test('every caller has a row, and every request under /uploads and /files a column', () => {
  assert.equal(
    rows.map(([name]) => name),
    Object.keys(callers),
  )
  assert.equal(titles, Object.keys(requests))
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  const documented = rowsOf(readme, ['Request', 'Answer'])
    .map(([cell = '']) => codes(cell)[0] ?? '')
    .filter((request) => /^(?!OPTIONS).* \/(uploads|files)\//.test(request))
  const tested = Object.values(requests).map((request) => {
    const { method, path } = request(':route', ':id')
    return `${method} ${path.replace('/mine', '/:route')}`
  })
  assert.equal([...new Set(tested)].sort(), documented.sort())
})

test.run()
