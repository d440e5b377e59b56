/** Attacks on who may what, and on the database: rows SEC-5, 6, 8, 16, 34 and 38. */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiKeys } from '../../src/auth/api-keys.ts'
import { custom } from '../../src/auth/custom.ts'
import { listFiles } from '../../src/files/list.ts'
import { route } from '../../src/routes/route.ts'
import { createRouter } from '../../src/routes/router.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { newId } from '../../src/shared/ids.ts'
import { memory } from '../../stores/memory.ts'
import type { Store } from '../../stores/store.ts'
import type { Answered } from '../support/exchange.ts'
import { openRaw } from '../support/raw-http.ts'
import { created, expectAnswer, offsetStream, patch } from '../support/records.ts'
import { doors, maxSize, startServer, type TestServer } from '../support/server.ts'

const test = suite('who may what')

/** What middleware was given last, and returns. */
let given: unknown
/** A schema, as in https://standardschema.dev, that takes what it is given. */
const anything = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: (value: unknown) => ({ value }),
  },
}
const router = createRouter({
  mine: route({ blob: { maxFileSize: maxSize } })
    .input(anything)
    .middleware(({ input }) => {
      given = input
      return { kept: input }
    }),
  demo: route({ blob: { maxFileSize: maxSize, acl: 'public-read' } }).public(),
})

/** Roles that change while uploads go on; `Person <name>`. */
const roles = new Map<string, string>()
const people = custom(({ headers }) => {
  const [, id] = /^Person (.+)$/.exec(headers.get('authorization') ?? '') ?? []
  if (id === 'expired') throw new CarcosaError('UNAUTHENTICATED')
  return id ? { id, kind: 'user', role: roles.get(id) ?? 'user' } : null
})
const as = (name: string) => ({ Authorization: `Person ${name}` })

let server: TestServer
test.before(async () => {
  server = await startServer({
    router,
    auth: [apiKeys(), people],
    rateLimits: { auth: false },
  })
})
test.after(() => server.close())

// SEC-5

const poison: [what: string, headers: Record<string, string>][] = [
  ['Host', { Host: 'evil.example' }],
  ['X-Forwarded-Host', { 'X-Forwarded-Host': 'evil.example' }],
  ['X-Forwarded-Proto', { 'X-Forwarded-Proto': 'javascript' }],
  ['Forwarded', { Forwarded: 'host=evil.example;proto=http' }],
  ['X-Forwarded-Prefix', { 'X-Forwarded-Prefix': '//evil.example' }],
]

for (const trusted of [false, true]) {
  const peer = trusted ? 'a trusted proxy' : 'anybody'
  test(`SEC-5: whatever ${peer} says of hosts, URLs have the configured origin`, async () => {
    const publicUrl = 'https://files.example.com'
    const trustedProxies = trusted ? ['loopback'] : []
    const origin = await startServer({ publicUrl, trustedProxies })
    try {
      for (const [what, headers] of poison) {
        const raw = await openRaw(origin.port)
        raw.ask('POST', '/uploads/demo', {
          ...headers,
          'Upload-Length': '1',
          'Content-Type': offsetStream,
          'Content-Length': '1',
        })
        raw.write('x')
        const { headers: answered } = await raw.answer()
        const location = answered.location ?? ''
        assert.match(location, /^https:\/\/files\.example\.com\/uploads\/demo\//, what)
        raw.ask('GET', new URL(location).pathname, headers)
        const status = await raw.answer()
        const { url } = JSON.parse(status.body)
        assert.match(url, /^https:\/\/files\.example\.com\/files\//, what)
        assert.not.match(JSON.stringify([answered, status]), 'evil', what)
        raw.cut()
      }
      const id = (await origin.newest())?.id ?? ''
      const signed = await origin.carcosa.api.files.sign(id)
      assert.match(signed, /^https:\/\/files\.example\.com\/files\//)
    } finally {
      await origin.close()
    }
  })
}

// SEC-6

/** What an answer tells, apart from what is new in every answer. */
function told({ status, headers, text }: Answered) {
  const { date, 'content-length': _, 'x-request-id': __, ...rest } = headers
  return { status, rest, body: text.replace(/"requestId":"[^"]*"/, '') }
}

for (const door of doors) {
  test(`SEC-6: events of an upload of Ann look like those of an unknown one (${door})`, async () => {
    const exchange = server.doors[door]
    const url = await created(exchange, { route: 'mine', headers: as('ann') })
    const watch = (id: string, headers: Record<string, string>) =>
      exchange({ method: 'GET', path: `/events?file=${id}`, headers })
    for (const who of ['bob', 'expired', null]) {
      const headers = who ? as(who) : {}
      const own = await watch(url.split('/').pop() ?? '', headers)
      assert.is(own.status, who === 'expired' ? 401 : 404)
      assert.equal(told(own), told(await watch(newId(), headers)), String(who))
    }
  })

  test(`SEC-6: an expired token of Ann opens nothing of hers (${door})`, async () => {
    const exchange = server.doors[door]
    const url = await created(exchange, { route: 'mine', headers: as('ann') })
    for (const method of ['HEAD', 'DELETE', 'GET']) {
      const { status } = await exchange({ method, path: url, headers: as('expired') })
      assert.is(status, 401, method)
    }
    const more = { offset: 0, body: 'x', headers: as('expired') }
    assert.is((await patch(exchange, url, more)).status, 401)
    assert.is((await server.row(url)).offset, 0)
  })

  const demotions: [role: string, status: number][] = [
    ['viewer', 403],
    ['billing', 404],
    ['none', 404],
  ]
  for (const [role, status] of demotions) {
    test(`SEC-6: R43: who became ${role} mid-upload sends nothing more (${door})`, async () => {
      const exchange = server.doors[door]
      const name = `demoted ${role} ${door}`
      roles.set(name, 'member')
      const spec = { route: 'mine', bytes: 'hello', headers: as(name) }
      const url = await created(exchange, spec)
      roles.set(name, role)
      const more = { offset: 5, body: 'world', headers: as(name) }
      assert.is((await patch(exchange, url, more)).status, status)
      const row = await server.row(url)
      assert.equal([row.offset, row.state], [5, 'receiving'])
      for (const method of ['HEAD', 'DELETE']) {
        const answer = await exchange({ method, path: url, headers: as(name) })
        assert.is(answer.status, status, method)
      }
      roles.set(name, 'member')
      assert.is((await patch(exchange, url, more)).status, 204)
    })
  }
}

// SEC-8

test('SEC-8: an id that is drawn twice is refused, and the upload that has it stays', async () => {
  const { randomBytes } = crypto
  // All ids come from here, in blocks: from now on the same block again and again.
  const block = randomBytes(64 * 1024)
  crypto.randomBytes = ((size: number) =>
    Buffer.from(block.subarray(0, size))) as typeof randomBytes
  syncBuiltinESMExports()
  const { http } = server.doors
  const first = new Map<string, string>()
  const statuses = new Set<number>()
  try {
    for (let i = 0; i < 300; i++) {
      const headers = { 'Upload-Length': '6' }
      const answer = await http({ method: 'POST', path: '/uploads/demo', headers })
      statuses.add(answer.status)
      const { location } = answer.headers
      if (answer.status !== 201 || location === undefined) continue
      assert.not.ok(first.has(location), 'an id was given twice')
      const body = String(100_000 + i)
      first.set(location, body)
      assert.is((await patch(http, location, { offset: 0, body })).status, 204)
    }
  } finally {
    crypto.randomBytes = randomBytes
    syncBuiltinESMExports()
    // The rest of the block is not for the tests that come.
    for (let i = 0; i < 300; i++) newId()
  }
  assert.equal([...statuses].sort(), [201, 500], 'no id was drawn twice')
  for (const [url, bytes] of first) {
    const path = `/files/${url.split('/').pop()}`
    assert.is((await http({ method: 'GET', path })).text, bytes)
  }
})

const namings: [what: string, keyOf: (id: string) => string][] = [
  ['the same for every file', () => 'the-one-key'],
  ['that of another file', () => taken],
  ['one that leaves its place', (id) => `../${id}`],
  ['one that is cut', (id) => id.slice(0, -1)],
  ['none', () => ''],
]
let taken = ''

test('SEC-8: a policy that names a key that is taken is refused, and the old object stays', async () => {
  let keyOf = (id: string) => id
  const inner = memory()
  const store: Store = { ...inner, keyFor: ({ id }) => keyOf(id) }
  const naming = await startServer({ store })
  try {
    const url = await created(naming.doors.http, { length: 5, bytes: 'hello' })
    taken = (await naming.row(url)).key
    for (const [what, policy] of namings) {
      keyOf = policy
      for (const door of doors) {
        const answer = await naming.doors[door]({
          method: 'POST',
          path: '/uploads/demo',
          headers: { 'Upload-Length': '5', 'Content-Type': offsetStream },
          body: 'other',
        })
        assert.is(answer.status, 500, what)
        assert.is(answer.json().code, 'CONFIG_INVALID', what)
      }
    }
    const path = `/files/${url.split('/').pop()}`
    assert.is((await naming.doors.http({ method: 'GET', path })).text, 'hello')
    assert.equal([...inner.objects.keys()], [taken])
  } finally {
    await naming.close()
  }
})

// SEC-16

const polluted = () => [Reflect.get({}, 'polluted'), Reflect.get([], 'polluted')]
const nested: [what: string, body: string, status: number][] = [
  ['the input', '{"files":[{"name":"a","size":1,"type":""}],"input":PAYLOAD}', 200],
  ['a file', '{"files":[{"name":"a","size":1,"type":"","x":PAYLOAD}]}', 200],
  [
    'a file that is nothing else',
    '{"files":[{"__proto__":{"name":"a","size":1,"type":"","polluted":1}}]}',
    400,
  ],
  [
    'a body that is nothing else',
    '{"__proto__":{"files":[{"name":"a","size":1,"type":""}],"polluted":1}}',
    400,
  ],
]
const payloads = [
  '{"__proto__":{"polluted":1}}',
  '{"a":{"__proto__":{"polluted":1}}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '[{"__proto__":{"polluted":1}}]',
]

for (const door of doors) {
  for (const [what, body, status] of nested) {
    test(`SEC-16: __proto__ in ${what} is a name like any other (${door})`, async () => {
      for (const payload of payloads) {
        const answer = await server.doors[door]({
          method: 'POST',
          path: '/uploads/mine/prepare',
          headers: { 'Content-Type': 'application/json', ...as('ann') },
          body: body.replace('PAYLOAD', payload),
        })
        assert.is(answer.status, status, answer.text)
        assert.equal(polluted(), [undefined, undefined])
      }
    })
  }
}

test('SEC-16: what JSON says of a prototype goes through tickets and rows as it is', async () => {
  for (const payload of payloads) {
    const prepared = await server.doors.http({
      method: 'POST',
      path: '/uploads/mine/prepare',
      headers: { 'Content-Type': 'application/json', ...as('ann') },
      body: `{"files":[{"name":"a","size":1,"type":""}],"input":${payload}}`,
    })
    assert.is(JSON.stringify(given), payload)
    const { files } = prepared.json() as { files: [{ ticket: string }] }
    const headers = { 'Upload-Ticket': files[0].ticket }
    const url = await created(server.doors.http, { route: 'mine', length: 1, headers })
    const { metadata } = await server.row(url)
    assert.is(Reflect.get(metadata as object, 'polluted'), undefined)
    assert.equal(polluted(), [undefined, undefined])
  }
})

test('SEC-16: scopes of a key are no way to a prototype', async () => {
  const scopes = JSON.parse('{"__proto__":{"actions":["files.read"]},"routes":["mine"]}')
  const made = await server.carcosa.api.keys
    .create({ name: 'a', scopes })
    .catch((error: CarcosaError) => error.code)
  assert.equal(polluted(), [undefined, undefined])
  if (typeof made === 'string') return assert.is(made, 'BAD_REQUEST')
  assert.equal(made.scopes, { routes: ['mine'] })
})

// SEC-34

test('SEC-34: a database that fails tells a client nothing of itself', async () => {
  const { db } = server.uploads
  const url = await created(server.doors.http, { route: 'demo' })
  await db.executeSql('ALTER TABLE carcosa.file RENAME TO hidden_away')
  try {
    for (const door of doors) {
      const exchange = server.doors[door]
      const headers = { 'Upload-Length': '1' }
      const answers = [
        await exchange({ method: 'POST', path: '/uploads/demo', headers }),
        await exchange({ method: 'GET', path: url }),
        await exchange({ method: 'DELETE', path: url, headers: as('ann') }),
        await exchange({ method: 'GET', path: url.replace('/uploads/demo', '/files') }),
        await exchange({ method: 'GET', path: `/events?file=${url.split('/').pop()}` }),
        await patch(exchange, url, { offset: 0, body: 'x' }),
      ]
      for (const { status, text, headers } of answers) {
        assert.is(status, 500, text)
        const { requestId, ...problem } = JSON.parse(text)
        assert.ok(requestId)
        const said = JSON.stringify([problem, headers])
        assert.not.match(said, /carcosa\.|relation|42P01|SELECT|prisma|\.ts|\.js|\bat /i)
      }
    }
  } finally {
    await db.executeSql('ALTER TABLE carcosa.hidden_away RENAME TO file')
  }
})

// SEC-38

const hostile = [
  `'`,
  `"`,
  '%',
  '_',
  `' OR '1'='1`,
  `x'; DROP TABLE carcosa.file; --`,
  '$1',
  '\\',
  '{"$ne":null}',
  '{"not":""}',
  '*',
  'a\0b',
  '\ud800',
  '../x',
  '__proto__',
]

test('SEC-38: ids, routes, owners and topics are text to the database, whatever is in them', async () => {
  const { files, uploads, keys, events, jobs } = server.carcosa.api
  const { id } = (await server.newest()) ?? {}
  const before = (await files.list({ limit: 500 })).files.length
  for (const text of hostile) {
    assert.is(await files.get(text), null, text)
    assert.is(await files.delete(text), false, text)
    assert.is(await uploads.cancel(text), false, text)
    assert.is(await keys.get(text), null, text)
    assert.is(await keys.revoke(text), false, text)
    await refused(() => files.sign(text), 'FILE_NOT_FOUND', text)
    await refused(() => files.rename(text, 'a'), 'FILE_NOT_FOUND', text)
    await refused(() => keys.rotate(text), 'KEY_NOT_FOUND', text)
    await refused(() => files.list({ cursor: text }), 'CURSOR_INVALID', text)
    await refused(() => jobs.list({ queue: text as never }), 'QUEUE_UNKNOWN', text)
    assert.equal((await files.list({ route: text })).files, [], text)
    assert.equal((await files.list({ ownerId: text })).files, [], text)
    assert.equal(await settled(() => events.list({ topic: { file: text } })), [], text)
    assert.equal(await settled(() => events.list({ topic: { route: text } })), [], text)
  }
  assert.is((await files.list({ limit: 500 })).files.length, before)
  assert.is((await files.get(id ?? ''))?.id, id)
})

for (const door of doors) {
  test(`SEC-38: in URLs and headers, too (${door})`, async () => {
    for (const text of hostile.filter((one) => one.isWellFormed())) {
      const name = encodeURIComponent(text)
      const asked = [
        `/files/${name}`,
        `/uploads/demo/${name}`,
        `/uploads/${name}/x`,
        `/events?file=${name}`,
        `/events?batch=${name}`,
        `/events?project=${name}`,
        `/events?route=${name}`,
      ]
      for (const path of asked) {
        const headers = as('ann')
        const { status } = await server.doors[door]({ method: 'GET', path, headers })
        assert.ok([400, 404].includes(status), `${status} ${path}`)
      }
      const path = `/events?file=${newId()}&lastEventId=${name}`
      const answer = await server.doors[door]({ method: 'GET', path, headers: as('ann') })
      expectAnswer(answer, { status: 400, code: 'CURSOR_INVALID' })
    }
  })
}

test('SEC-38: the cursor of one project leads nowhere in another', async () => {
  const { db } = server.uploads
  await db.prisma.project.create({ data: { id: 'p2', name: 'Two' } })
  const own = await created(server.doors.http, { length: 1, bytes: 'x' })
  for (let i = 0; i < 3; i++) await created(server.doors.http, { length: 1, bytes: 'x' })
  const { nextCursor } = await server.carcosa.api.files.list({ limit: 1 })
  assert.ok(nextCursor)
  const cursor = nextCursor ?? ''
  assert.equal((await listFiles(db, 'p2', { cursor })).files, [])
  await db.executeSql(
    `UPDATE carcosa.file SET project_id = 'p2' WHERE id = '${own.split('/').pop()}'`,
  )
  const { files } = await listFiles(db, 'p2', { cursor })
  assert.ok(files.length > 0 && files.every(({ projectId }) => projectId === 'p2'))

  const { audit, keys } = server.carcosa.api
  for (const projectId of ['default', 'p2', 'default', 'p2']) {
    await keys.create({ name: 'a', projectId })
  }
  const page = await audit.list({ projectId: 'default', limit: 1 })
  const other = await audit.list({
    projectId: 'p2',
    cursor: page.nextCursor ?? '',
    limit: 500,
  })
  assert.ok(other.entries.length > 0)
  assert.ok(other.entries.every(({ projectId }) => projectId === 'p2'))
})

async function refused(run: () => Promise<unknown>, code: string, what: string) {
  await run().then(
    () => assert.unreachable(what),
    (error) => assert.is(error.code, code, `${what}: ${error}`),
  )
}

/** What it found; nothing where it was refused for what it is. */
async function settled<T>(run: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await run()
  } catch (error) {
    assert.is((error as CarcosaError).code, 'BAD_REQUEST')
    return []
  }
}

test.run()
