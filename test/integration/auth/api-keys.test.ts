/** API keys through the front door: row SEC-29, and who sees what with which key. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiKeys } from '../../../src/auth/api-keys.ts'
import { makeToken } from '../../../src/auth/key-format.ts'
import type { ApiKeyWithToken, NewApiKey } from '../../../src/auth/keys.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { openStream } from '../../support/event-stream.ts'
import type { Answered } from '../../support/exchange.ts'
import { eventually } from '../../support/raw-http.ts'
import { created, offsetOf, patch } from '../../support/records.ts'
import { bearer, doors, startServer, type TestServer } from '../../support/server.ts'

const lines: unknown[] = []
const logger = {
  debug: (...line: unknown[]) => lines.push(line),
  info: (...line: unknown[]) => lines.push(line),
  warn: (...line: unknown[]) => lines.push(line),
  error: (...line: unknown[]) => lines.push(line),
}

const test = suite('API keys')
let server: TestServer
test.before(async () => {
  server = await startServer({ auth: [apiKeys(), bearer], logger })
})
test.after(() => server.close())

const keys = () => server.carcosa.api.keys
const make = (more: Partial<NewApiKey> = {}) => keys().create({ name: 'robot', ...more })
const as = ({ token }: { token: string }) => ({ Authorization: `Bearer ${token}` })

function reasonOf(answer: Answered): string {
  const { code, details } = answer.json() as {
    code: string
    details?: { reason: string }
  }
  assert.is(answer.status, 401, answer.text)
  assert.is(code, 'UNAUTHENTICATED')
  return details?.reason ?? 'none'
}

const post = (headers: Record<string, string>, route = 'mine') =>
  server.doors.http({
    method: 'POST',
    path: `/uploads/${route}`,
    headers: { 'Upload-Length': '5', ...headers },
  })

for (const door of doors) {
  test(`a key uploads, and owns what it uploaded (${door})`, async () => {
    const key = await make()
    const exchange = server.doors[door]
    const url = await created(exchange, {
      route: 'mine',
      length: 5,
      bytes: 'hello',
      headers: as(key),
    })
    const row = await server.row(url)
    assert.is(row.ownerId, key.id)
    assert.is(row.projectId, 'default')
    const file = await exchange({
      method: 'GET',
      path: `/files/${row.id}`,
      headers: as(key),
    })
    assert.is(file.text, 'hello')
    assert.is((await exchange({ method: 'GET', path: `/files/${row.id}` })).status, 404)
  })
}

test('X-Api-Key is as good as Authorization', async () => {
  const { token } = await make()
  assert.is((await post({ 'X-Api-Key': token })).status, 201)
})

test('other credentials in these headers are left to other providers', async () => {
  assert.is((await post({ Authorization: 'Bearer ann' })).status, 201)
  assert.is(
    (await post({ Authorization: 'Bearer ann', 'X-Api-Key': 'theirs' })).status,
    201,
  )
  assert.is((await post({ 'X-Api-Key': 'theirs' })).status, 401)
})

test('SEC-29: the token is shown once; its hash is all that is kept', async () => {
  const key = await make({ name: 'once' })
  assert.match(key.token, /^ck_live_/)
  assert.ok(key.token.startsWith(key.start))
  const secret = key.token.slice(key.start.length + 1)
  const told = JSON.stringify([await keys().get(key.id), await keys().list()])
  assert.not.ok(told.includes(secret))
  const [row] = await server.uploads.db.query<{ row: unknown }>({
    name: 'whole_key',
    sql: `SELECT to_jsonb(k) AS row FROM carcosa.api_key k WHERE id = '${key.id}'`,
  })
  assert.ok(JSON.stringify(row).includes(key.id))
  assert.not.ok(JSON.stringify(row).includes(secret))
})

test('SEC-29: a key that is wrong is refused, whatever the route, and never falls through', async () => {
  const { token } = await make()
  const refused: [string, reason: string][] = [
    [`${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`, 'malformed'],
    [token.slice(0, 40), 'malformed'],
    ['ck_live_', 'malformed'],
    [makeToken('live').token, 'unknown'],
  ]
  for (const [wrong, reason] of refused) {
    for (const route of ['mine', 'demo']) {
      const answer = await post({ Authorization: `Bearer ${wrong}` }, route)
      assert.is(reasonOf(answer), reason)
      assert.match(answer.headers['www-authenticate'] ?? '', 'Bearer')
    }
  }
})

test('SEC-29: the right prefix with another secret is as unknown as any', async () => {
  const key = await make()
  const other = makeToken('live')
  await server.uploads.db.query(
    { name: 'swap', sql: 'UPDATE carcosa.api_key SET prefix = $2 WHERE id = $1' },
    [key.id, other.prefix],
  )
  assert.is(reasonOf(await post(as(other))), 'unknown')
})

test('SEC-29: keys are neither in the log, nor in any answer or Location, nor in events', async () => {
  const key = await make()
  const wrong = makeToken('live').token
  const url = await created(server.doors.http, { route: 'mine', headers: as(key) })
  const answers = [
    await post({ Authorization: `Bearer ${wrong}` }),
    await post({ Authorization: `Bearer ${key.token}x` }),
    await server.doors.http({ method: 'GET', path: url, headers: as(key) }),
  ]
  const id = url.split('/').pop()
  const stream = await openStream(
    server.port,
    `/events?file=${id}&lastEventId=0`,
    as(key),
  )
  await stream.next('file.created')
  stream.close()
  const told = JSON.stringify([
    lines,
    stream.events,
    url,
    answers.map(({ text, headers }) => [text, headers]),
  ])
  for (const { token } of [key, { token: wrong }]) {
    assert.not.ok(told.includes(token.slice(21)), 'no part of a secret')
  }
})

test('SEC-29: a revoked key ends an upload under way with its next request', async () => {
  const key = await make()
  const url = await created(server.doors.http, {
    route: 'mine',
    bytes: 'hello',
    headers: as(key),
  })
  assert.is(await keys().revoke(key.id), true)
  for (const method of ['HEAD', 'DELETE', 'GET']) {
    const answer = await server.doors.http({ method, path: url, headers: as(key) })
    assert.is(answer.status, 401, method)
  }
  const more = await patch(server.doors.http, url, {
    offset: 5,
    body: 'world',
    headers: as(key),
  })
  assert.is(reasonOf(more), 'revoked')
  assert.is((await server.row(url)).offset, 5)
  assert.is(await keys().revoke(key.id), false)
})

test('SEC-29: a ticket of a revoked key is worth nothing, with the key or alone', async () => {
  const key = await make()
  const prepared = await server.doors.http({
    method: 'POST',
    path: '/uploads/mine/prepare',
    headers: { 'Content-Type': 'application/json', ...as(key) },
    body: JSON.stringify({
      files: [1, 2].map(() => ({ name: 'a', size: 10, type: '' })).slice(1),
    }),
  })
  const { files } = prepared.json() as { files: { ticket: string }[] }
  const ticket = { 'Upload-Ticket': files[0]?.ticket ?? '' }
  const url = await created(server.doors.http, {
    route: 'mine',
    bytes: 'hello',
    headers: ticket,
  })
  assert.is(await offsetOf(server.doors.http, url, ticket), 5)
  await keys().revoke(key.id)
  for (const headers of [ticket, { ...ticket, ...as(key) }]) {
    const more = await patch(server.doors.http, url, {
      offset: 5,
      body: 'world',
      headers,
    })
    assert.is(more.status, 401)
    const again = await server.doors.http({
      method: 'POST',
      path: '/uploads/mine',
      headers: { 'Upload-Length': '10', ...headers },
    })
    assert.is(again.status, 401)
  }
  assert.is((await server.row(url)).offset, 5)
})

test('a key that has expired is refused; its ticket sees its upload through', async () => {
  const key = await make({ expiresIn: 1_500 })
  const url = await created(server.doors.http, { route: 'mine', headers: as(key) })
  await new Promise((resolve) => setTimeout(resolve, 1_600))
  const answer = await server.doors.http({ method: 'GET', path: url, headers: as(key) })
  assert.is(reasonOf(answer), 'expired')
})

test('a rotated key keeps what it owns; the old token ends with the overlap', async () => {
  const key = await make()
  const url = await created(server.doors.http, {
    route: 'mine',
    bytes: 'hello',
    headers: as(key),
  })
  const second = await keys().rotate(key.id, { overlap: 1_500 })
  assert.is(second.id, key.id)
  assert.is.not(second.token, key.token)
  assert.instance(second.overlapUntil, Date)
  for (const one of [key, second]) {
    assert.is(await offsetOf(server.doors.http, url, as(one)), 5)
  }
  await new Promise((resolve) => setTimeout(resolve, 1_600))
  assert.is(reasonOf(await post(as(key))), 'rotated')
  assert.is(await offsetOf(server.doors.http, url, as(second)), 5)
  const third = await keys().rotate(key.id, { overlap: 0 })
  assert.is(third.overlapUntil, null)
  assert.is(reasonOf(await post(as(second))), 'unknown')
  assert.is(await offsetOf(server.doors.http, url, as(third)), 5)
})

test('a key that was revoked, or never was, cannot be rotated', async () => {
  const key = await make()
  await keys().revoke(key.id)
  for (const id of [key.id, `key_${'A'.repeat(24)}`, 'x', '\0', '']) {
    const error = await keys()
      .rotate(id)
      .catch((thrown) => thrown)
    assert.instance(error, CarcosaError)
    assert.is(error.code, 'KEY_NOT_FOUND')
  }
  assert.is(await keys().get('\0'), null)
  assert.is(await keys().revoke('\0'), false)
})

test('scopes: only these routes, only these actions', async () => {
  const routed = await make({ scopes: { routes: ['private'] } })
  assert.is((await post(as(routed), 'mine')).status, 403)
  assert.is((await post(as(routed), 'private')).status, 201)
  const reader = await make({ scopes: { actions: ['files.read'] } })
  assert.is((await post(as(reader))).status, 403)
})

test('a key sees its project, one with only uploads.create what it made itself', async () => {
  const { http } = server.doors
  const ann = { Authorization: 'Bearer ann' }
  const uploader = await make({ scopes: { actions: ['uploads.create'] } })
  const reader = await make({ scopes: { actions: ['files.read'] } })
  const spec = { route: 'mine', length: 5, bytes: 'hello' }
  const theirs = await created(http, { ...spec, headers: ann })
  const own = await created(http, { ...spec, headers: as(uploader) })
  const read = async (url: string, key: ApiKeyWithToken) => {
    const path = `/files/${url.split('/').pop()}`
    return (await http({ method: 'GET', path, headers: as(key) })).status
  }
  assert.is(await read(theirs, reader), 200)
  assert.is(await read(own, reader), 200)
  assert.is(await read(theirs, uploader), 404)
  assert.is(await read(own, uploader), 200)
  const status = await http({ method: 'GET', path: theirs, headers: as(reader) })
  assert.is(status.status, 200)
  assert.is(status.json().url, null, 'reading is not giving away')
  // HEAD would end the request that brings bytes.
  assert.is(
    (await http({ method: 'HEAD', path: theirs, headers: as(reader) })).status,
    403,
  )
  assert.is(
    (await http({ method: 'DELETE', path: own, headers: as(uploader) })).status,
    403,
  )
  assert.is(
    (await http({ method: 'DELETE', path: own, headers: as(reader) })).status,
    403,
  )
})

test('a key of another project sees nothing, and its uploads are that project’s', async () => {
  const { http } = server.doors
  await server.uploads.db.prisma.project.create({ data: { id: 'p2', name: 'Two' } })
  const here = await make({ role: 'owner' })
  const there = await make({ role: 'owner', projectId: 'p2' })
  const url = await created(http, { route: 'mine', headers: as(here) })
  const answer = await http({ method: 'GET', path: url, headers: as(there) })
  assert.is(answer.status, 404)
  const own = await created(http, { route: 'mine', headers: as(there) })
  assert.is((await server.row(own)).projectId, 'p2')
  assert.is((await http({ method: 'GET', path: own, headers: as(here) })).status, 404)
  assert.equal(
    (await keys().list({ projectId: 'p2' })).keys.map(({ id }) => id),
    [there.id],
  )
})

test('a key may be used from the addresses on its list only', async () => {
  const local = await make({ allowedAddresses: ['loopback'] })
  const office = await make({ allowedAddresses: ['203.0.113.0/24', '2001:db8::/32'] })
  assert.is((await post(as(local))).status, 201)
  assert.is(reasonOf(await post(as(office))), 'address')
  assert.is(
    reasonOf(await post({ ...as(office), 'X-Forwarded-For': '203.0.113.9' })),
    'address',
    'what a client says of itself is not believed',
  )
  const unknown = await server.doors.fetch({
    method: 'POST',
    path: '/uploads/mine',
    headers: { 'Upload-Length': '5', ...as(local) },
  })
  assert.is(reasonOf(unknown), 'address', 'a web Request has no address')
})

test('behind a proxy that is trusted the address is the one it names', async () => {
  const behind = await startServer({ auth: [apiKeys()], trustedProxies: ['loopback'] })
  try {
    const { token } = await behind.carcosa.api.keys.create({
      name: 'office',
      allowedAddresses: ['203.0.113.0/24', '2001:db8::/32'],
    })
    const from = async (forwarded: string | null) => {
      const answer = await behind.doors.http({
        method: 'POST',
        path: '/uploads/mine',
        headers: {
          'Upload-Length': '5',
          Authorization: `Bearer ${token}`,
          'X-Forwarded-For': forwarded,
        },
      })
      return answer.status
    }
    assert.is(await from('203.0.113.9'), 201)
    assert.is(await from('2001:db8::1'), 201)
    assert.is(await from('203.0.113.9, 198.51.100.1'), 401, 'the last one is the sender')
    assert.is(await from('198.51.100.1, 203.0.113.9'), 201)
    assert.is(await from('nonsense'), 401)
    assert.is(await from(null), 401)
  } finally {
    await behind.close()
  }
})

test('the last use is remembered, with one write for many', async () => {
  const key = await make()
  assert.is(key.lastUsedAt, null)
  for (let i = 0; i < 5; i++) await post(as(key))
  const used = await eventually(
    async () => (await keys().get(key.id))?.lastUsedAt ?? null,
    (at) => at !== null,
  )
  assert.ok(Math.abs((used?.getTime() ?? 0) - Date.now()) < 10_000)
})

test('keys are listed newest first, revoked ones when asked for', async () => {
  const [first, second] = [await make({ name: 'a' }), await make({ name: 'b' })]
  await keys().revoke(first.id)
  const ids = (await keys().list()).keys.map(({ id }) => id)
  assert.is(ids[0], second.id)
  assert.not.ok(ids.includes(first.id))
  const all = (await keys().list({ revoked: true })).keys.map(({ id }) => id)
  assert.ok(all.indexOf(second.id) < all.indexOf(first.id))
  assert.instance((await keys().get(first.id))?.revokedAt, Date)
})

const bad: [what: string, key: Record<string, unknown>, says: string][] = [
  ['no name', { name: undefined }, 'name'],
  ['an empty name', { name: '' }, 'name'],
  ['a long name', { name: 'x'.repeat(201) }, '200'],
  ['a name that is no text', { name: 'a\0' }, 'name'],
  ['another mode', { mode: 'prod' }, 'live or test'],
  ['a role that there is not', { role: 'amdin' }, 'Did you mean admin?'],
  ['a role that is no text', { role: 7 }, 'Allowed: '],
  ['a route that there is not', { scopes: { routes: ['mien'] } }, 'Allowed: demo'],
  ['no route', { scopes: { routes: [] } }, 'not empty'],
  ['routes that are no list', { scopes: { routes: 'mine' } }, 'lists'],
  ['an action that there is not', { scopes: { actions: ['files.raed'] } }, 'files.read'],
  ['another scope', { scopes: { files: [] } }, 'no files'],
  ['an address that is none', { allowedAddresses: ['10.0.0.0/99'] }, '10.0.0.0/8'],
  ['no time', { expiresIn: 0 }, 'expiresIn'],
  ['a time without a unit', { expiresIn: '60' }, 'expiresIn'],
  ['a time that is too long', { expiresIn: 1e15 }, 'expiresIn'],
]
for (const [what, key, says] of bad) {
  test(`a key with ${what} is not made`, async () => {
    // What a program without types can ask for.
    const error = await make(key as Partial<NewApiKey>).catch((thrown) => thrown)
    assert.instance(error, CarcosaError, String(error))
    assert.is(error.code, 'BAD_REQUEST')
    assert.match(error.message, says)
  })
}

test('a key for a project that there is not is not made', async () => {
  const error = await make({ projectId: 'p404' }).catch((thrown) => thrown)
  assert.is(error.code, 'PROJECT_NOT_FOUND')
})

test('a principal of a project that there is not uploads nothing', async () => {
  const auth = [
    {
      name: 'lost',
      authenticate: () => ({ id: 'a', kind: 'user', projectId: 'p404' }) as const,
    },
  ]
  const other = await startServer({ auth })
  try {
    const answer = await other.doors.http({
      method: 'POST',
      path: '/uploads/mine',
      headers: { 'Upload-Length': '5' },
    })
    assert.is(answer.json().code, 'PROJECT_NOT_FOUND')
  } finally {
    await other.close()
  }
})

test.run()
