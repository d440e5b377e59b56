/** Wrong credentials, reading, addresses behind proxies, and limits of single routes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CarcosaOptions } from '../../src/config.ts'
import { route } from '../../src/routes/route.ts'
import { createRouter } from '../../src/routes/router.ts'
import { startServer as startCommand } from '../support/command.ts'
import { openSocket } from '../support/event-socket.ts'
import { upload } from '../support/lifecycle.ts'
import { postgres } from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

const create = (headers: Record<string, string> = {}, name = 'mine') => ({
  method: 'POST',
  path: `/uploads/${name}`,
  headers: { 'Upload-Length': '10', ...headers },
})
const wrong = create({ Authorization: 'Bearer expired' })
const right = create({ Authorization: 'Bearer ann' })
const two = { points: 2, per: '1h' } as const

async function withServer(
  options: Partial<CarcosaOptions>,
  check: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer(options)
  try {
    await check(server)
  } finally {
    await server.close()
  }
}

const auth = suite('wrong credentials (brute force)')

auth('beyond the limit an address is not looked at, right or wrong', async () => {
  await withServer({ rateLimits: { auth: two } }, async ({ doors }) => {
    assert.is((await doors.http(wrong)).status, 401)
    assert.is((await doors.http(right)).status, 201)
    assert.is((await doors.http(wrong)).status, 401)
    const refused = await doors.http(wrong)
    assert.is(refused.status, 429)
    assert.is(refused.json().code, 'RATE_LIMITED')
    assert.equal((refused.json().details as { operation: string }).operation, 'auth')
    assert.match(refused.headers['retry-after'] ?? '', /^\d+$/)
    assert.is((await doors.http(right)).status, 429)
    const read = { method: 'GET', path: '/files/x', headers: right.headers }
    assert.is((await doors.http(read)).status, 404, 'nobody was asked for')
  })
})

auth('none at all is no wrong one, and a right one costs nothing', async () => {
  await withServer({ rateLimits: { auth: two } }, async ({ doors, uploads }) => {
    for (let i = 0; i < 5; i++) assert.is((await doors.http(create())).status, 401)
    for (let i = 0; i < 5; i++) assert.is((await doors.http(right)).status, 201)
    const sql = `SELECT key FROM carcosa.rate_count WHERE key LIKE 'auth%'`
    assert.equal(await uploads.db.query({ name: 'auth_keys', sql }), [])
  })
})

auth('100 parallel at a limit of 50: 50 are told that they are wrong', async () => {
  const limits = { auth: { points: 50, per: '1h' }, create: false } as const
  await withServer({ rateLimits: limits }, async ({ doors }) => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => doors.http(wrong)),
    )
    const statuses = answers.map(({ status }) => status)
    assert.is(statuses.filter((status) => status === 401).length, 50)
    assert.is(statuses.filter((status) => status === 429).length, 50)
  })
})

auth('count wherever somebody is asked for, and hold there', async () => {
  await withServer({ rateLimits: { auth: two } }, async ({ doors, port }) => {
    const headers = { Authorization: 'Bearer expired' }
    const connect = () =>
      openSocket(port, '/ws', headers).catch((error: Error) => error.message)
    assert.is(await connect(), '401')
    const events = { method: 'GET', path: '/events?route=demo', headers }
    assert.is((await doors.http(events)).status, 401)
    assert.is(await connect(), '429')
    assert.is((await doors.http(events)).status, 429)
    const prepare = { ...wrong, path: '/uploads/mine/prepare' }
    assert.is((await doors.http(prepare)).status, 429)
  })
})

auth('are counted for all nodes together', async () => {
  const { url, drop } = await postgres()
  const options = { database: url, rateLimits: { auth: two } }
  const [first, second] = [await startServer(options), await startServer(options)]
  try {
    assert.is((await first.doors.http(wrong)).status, 401)
    assert.is((await second.doors.http(wrong)).status, 401)
    assert.is((await first.doors.http(wrong)).status, 429)
    assert.is((await second.doors.http(wrong)).status, 429)
    assert.is((await second.doors.http(right)).status, 429)
  } finally {
    await first.close()
    await second.close()
    await drop()
  }
})

auth.run()

const read = suite('reading files')

read('is limited where that is asked for, and not otherwise', async () => {
  await withServer({ rateLimits: { read: two } }, async (server) => {
    const { id } = await upload(server, 'demo', 'hello')
    const get = () => server.doors.http({ method: 'GET', path: `/files/${id}` })
    const first = await get()
    assert.is(first.status, 200)
    assert.is(first.headers['ratelimit-policy'], '"read-address";q=2;w=3600')
    assert.is((await get()).status, 200)
    assert.is((await get()).status, 429)
  })
  await withServer({}, async (server) => {
    const { id } = await upload(server, 'demo', 'hello')
    const get = () => server.doors.http({ method: 'GET', path: `/files/${id}` })
    for (let i = 0; i < 5; i++) assert.is((await get()).headers.ratelimit, undefined)
  })
})

read.run()

const addresses = suite('the address of a client')
const limits = { create: { address: two, principal: false } } as const
const from = (forwardedFor: string) => create({ 'X-Forwarded-For': forwardedFor }, 'demo')

addresses(
  'is that of the connection: X-Forwarded-For of anybody is not believed',
  async () => {
    const warnings: string[] = []
    const silent = { debug: () => {}, info: () => {}, error: () => {} }
    const logger = {
      ...silent,
      warn: (_: unknown, message: string) => void warnings.push(message),
    }
    await withServer({ rateLimits: limits, logger }, async ({ doors }) => {
      assert.is((await doors.http(from('192.0.2.1'))).status, 201)
      assert.is((await doors.http(from('192.0.2.2'))).status, 201)
      assert.is((await doors.http(from('192.0.2.3'))).status, 429)
    })
    assert.is(warnings.filter((text) => text.includes('trustedProxies')).length, 1)
  },
)

addresses('is the one a trusted proxy names, IPv6 by /64', async () => {
  const options = { rateLimits: limits, trustedProxies: ['loopback'] }
  await withServer(options, async ({ doors }) => {
    const statuses = []
    for (const address of [
      ...['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', '9.9.9.9, 192.0.2.1'],
      ...['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'],
    ]) {
      statuses.push((await doors.http(from(address))).status)
    }
    assert.equal(statuses, [201, 201, 429, 201, 429, 201, 201, 429, 201])
  })
})

addresses('of carcosa.fetch is not known, unless proxies are trusted', async () => {
  await withServer({ rateLimits: limits }, async ({ doors }) => {
    for (let i = 0; i < 5; i++)
      assert.is((await doors.fetch(from('192.0.2.1'))).status, 201)
  })
  const options = { rateLimits: limits, trustedProxies: ['10.0.0.0/8'] }
  await withServer(options, async ({ doors }) => {
    const statuses = []
    for (const address of [
      '192.0.2.1',
      '192.0.2.1, 10.0.0.1',
      '9.9.9.9, 192.0.2.1',
      '192.0.2.2',
    ])
      statuses.push((await doors.fetch(from(address))).status)
    assert.equal(statuses, [201, 201, 429, 201])
  })
})

addresses('carcosa start is told by its flags', async () => {
  const flags = ['--rate-limits', 'create.address=1/1h', '--trusted-proxies', 'loopback']
  const server = await startCommand(flags)
  const post = async (address: string) => {
    const headers = {
      'Tus-Resumable': '1.0.0',
      'Upload-Length': '5',
      'X-Forwarded-For': address,
    }
    return (await fetch(`${server.url}/uploads/demo`, { method: 'POST', headers })).status
  }
  try {
    const statuses = [
      await post('192.0.2.1'),
      await post('192.0.2.1'),
      await post('::1:2'),
    ]
    assert.equal(statuses, [201, 429, 201])
  } finally {
    await server.stop()
  }
})

addresses.run()

const routes = suite('limits of a route')

routes('hold instead of those of the server, and are counted apart', async () => {
  const types = { blob: { maxFileSize: '1MB', maxFileCount: 10 } } as const
  const router = createRouter({
    strict: route(types).public().rateLimit({ points: 1, per: '1h' }),
    free: route(types).public().rateLimit(false),
    usual: route(types).public(),
  })
  await withServer({ router, rateLimits: { create: two } }, async ({ doors }) => {
    const statuses = async (name: string) => {
      const answers = []
      for (let i = 0; i < 3; i++)
        answers.push((await doors.http(create({}, name))).status)
      return answers
    }
    assert.equal(await statuses('strict'), [201, 429, 429])
    assert.equal(await statuses('free'), [201, 201, 201])
    assert.equal(await statuses('usual'), [201, 201, 429])
  })
})

routes.run()
