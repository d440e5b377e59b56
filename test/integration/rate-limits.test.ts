/** How often clients may create uploads (SEC-13), on one node and on two, with every store. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CarcosaOptions } from '../../src/config.ts'
import { jobHandlers } from '../../src/worker.ts'
import type { Exchange } from '../support/exchange.ts'
import { postgres } from '../support/postgres.ts'
import { redisServer } from '../support/redis-server.ts'
import { requires } from '../support/requirements.ts'
import { startServer, type TestServer } from '../support/server.ts'

const create = (headers: Record<string, string> = {}, route = 'demo') => ({
  method: 'POST',
  path: `/uploads/${route}`,
  headers: { 'Upload-Length': '10', ...headers },
})

const fifty = { create: { points: 50, per: '1h' } } as const

/** The statuses of `count` creations at once, shared out among `doors`. */
async function statusesOf(count: number, doors: readonly Exchange[]) {
  const answers = Array.from({ length: count }, (_, i) =>
    doors[i % doors.length]?.(create()),
  )
  const all = await Promise.all(answers)
  return all.map((answer) => answer?.status)
}

function times(statuses: readonly unknown[], status: number): number {
  return statuses.filter((one) => one === status).length
}

async function lets50Through(servers: readonly TestServer[]): Promise<void> {
  const doors = servers.map(({ doors }) => doors.http)
  const statuses = await statusesOf(100, doors)
  assert.is(times(statuses, 201), 50)
  assert.is(times(statuses, 429), 50)
  const again = await statusesOf(10, doors)
  assert.is(times(again, 429), 10)
}

/** What a server says of its counters. */
function listener() {
  const warnings: string[] = []
  const infos: string[] = []
  const logger = {
    debug: () => {},
    info: (_: unknown, message: string) => {
      if (isAboutCounters(message)) infos.push(message)
    },
    warn: (_: unknown, message: string) => void warnings.push(message),
    error: () => {},
  }
  return { logger, warnings, infos }
}

const isAboutCounters = (message: string) => message.startsWith('rate limits are counted')

const places: [name: string, options: Partial<CarcosaOptions>][] = [
  ['embedded', { database: 'memory://', rateLimits: fifty }],
  ['memory', { rateLimits: { ...fifty, store: 'memory' } }],
  ['Postgres', { rateLimits: fifty }],
]

const exact = suite('100 parallel creations at a limit of 50')

for (const [name, options] of places) {
  exact(`${name}: exactly 50 are let through`, async () => {
    const server = await startServer(options)
    try {
      await lets50Through([server])
    } finally {
      await server.close()
    }
  })
}

exact('two nodes on one Postgres: exactly 50 are let through', async () => {
  const { url, drop } = await postgres()
  const options = { database: url, rateLimits: fifty }
  const servers = [await startServer(options), await startServer(options)]
  try {
    await lets50Through(servers)
  } finally {
    for (const server of servers) await server.close()
    await drop()
  }
})

exact.run()

const redisTest = requires(
  'redis-server',
  suite('100 parallel creations at a limit of 50'),
)

redisTest('two nodes on one Redis: exactly 50 are let through', async () => {
  const redis = await redisServer()
  const { url, drop } = await postgres()
  const options = { database: url, redis: redis.url, rateLimits: fifty }
  const servers = [await startServer(options), await startServer(options)]
  try {
    await lets50Through(servers)
    const keys = await redis.command('KEYS', 'carcosa:*:limit:create:address:127.0.0.1')
    assert.is((keys as unknown[]).length, 1)
  } finally {
    for (const server of servers) await server.close()
    await redis.stop()
    await drop()
  }
})

redisTest(
  'a Redis that is gone: each node counts alone, warns once, nothing fails',
  async () => {
    const redis = await redisServer()
    const { logger, warnings } = listener()
    const server = await startServer({ redis: redis.url, rateLimits: fifty, logger })
    try {
      assert.is((await server.doors.http(create())).status, 201)
      await redis.stop()
      await lets50Through([server])
      assert.is(warnings.filter(isAboutCounters).length, 1)
    } finally {
      await server.close()
    }
  },
)

redisTest(
  'a Redis that does not answer holds a request for a second at most',
  async () => {
    const redis = await redisServer()
    const { logger, warnings } = listener()
    const server = await startServer({ redis: redis.url, rateLimits: fifty, logger })
    try {
      await redis.command('CLIENT', 'PAUSE', '600000', 'ALL')
      assert.is((await server.doors.http(create())).status, 201)
      assert.is((await server.doors.http(create())).status, 201)
      assert.is(warnings.filter(isAboutCounters).length, 1)
      // Also with something left to say to the others.
      const closing = server.carcosa.close()
      server.uploads.channel.send('topic', 'last words', true)
      await closing
    } finally {
      await server.close()
      await redis.stop()
    }
  },
)

redisTest('a Redis that comes back counts again', async () => {
  const redis = await redisServer()
  const { logger, infos } = listener()
  const server = await startServer({ redis: redis.url, rateLimits: fifty, logger })
  try {
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal')
    await server.doors.http(create())
    const isBack = async () => {
      assert.is((await server.doors.http(create())).status, 201)
      const keys = await redis.command('KEYS', 'carcosa:*:limit:*')
      return (keys as unknown[]).length > 0
    }
    for (let i = 0; i < 40 && !(await isBack()); i++) await sleep(250)
    assert.ok(await isBack())
    assert.ok(infos.length <= 1)
  } finally {
    await server.close()
    await redis.stop()
  }
})

redisTest.run()

const test = suite('rate limits of creations')
let server: TestServer

async function withLimits(
  rateLimits: CarcosaOptions['rateLimits'],
  check: (server: TestServer) => Promise<void>,
  options: Partial<CarcosaOptions> = {},
): Promise<void> {
  server = await startServer({
    ...options,
    ...(rateLimits !== undefined && { rateLimits }),
  })
  try {
    await check(server)
  } finally {
    await server.close()
  }
}

const two = { points: 2, per: '90s' } as const

test('an answer says where the client stands, and a refusal when to come back', async () => {
  await withLimits({ create: { address: two, principal: false } }, async ({ doors }) => {
    const headers = { Origin: 'https://app.example.com' }
    const first = await doors.http(create(headers))
    assert.is(first.status, 201)
    assert.is(first.headers['ratelimit-policy'], '"create-address";q=2;w=90')
    assert.match(first.headers.ratelimit ?? '', /^"create-address";r=1;t=(90|89)$/)
    assert.is(first.headers['ratelimit-limit'], '2')
    assert.is(first.headers['ratelimit-remaining'], '1')
    assert.match(first.headers['ratelimit-reset'] ?? '', /^(90|89)$/)
    assert.is(first.headers['retry-after'], undefined)
    const exposed = first.headers['access-control-expose-headers'] ?? ''
    for (const name of [
      'RateLimit',
      'RateLimit-Policy',
      'RateLimit-Reset',
      'Retry-After',
    ])
      assert.ok(exposed.split(', ').includes(name), name)
    await doors.http(create())
    const refused = await doors.http(create(headers))
    assert.is(refused.status, 429)
    assert.is(refused.headers['content-type'], 'application/problem+json')
    assert.is(refused.headers['tus-resumable'], '1.0.0')
    assert.match(refused.headers['retry-after'] ?? '', /^\d\d$/)
    assert.match(refused.headers.ratelimit ?? '', /^"create-address";r=0;t=\d\d$/)
    assert.is(refused.headers['ratelimit-remaining'], '0')
    const { code, details, detail } = refused.json()
    assert.is(code, 'RATE_LIMITED')
    const { retryAfter, ...rest } = details as Record<string, unknown>
    assert.is(String(retryAfter), refused.headers['retry-after'])
    assert.equal(rest, { operation: 'create', by: 'address', limit: 2, seconds: 90 })
    assert.match(
      String(detail),
      /^Only 2 uploads in 90 seconds are allowed for one address\./,
    )
  })
})

test('with several limits the headers name each, and the short ones the tightest', async () => {
  const limits = {
    address: { points: 9, per: '1m' },
    principal: two,
    project: two,
  } as const
  await withLimits({ create: limits }, async ({ doors }) => {
    const { headers } = await doors.http(create({ Authorization: 'Bearer ann' }, 'mine'))
    assert.is(
      headers['ratelimit-policy'],
      '"create-address";q=9;w=60, "create-principal";q=2;w=90, "create-project";q=2;w=90',
    )
    assert.is(headers['ratelimit-limit'], '2')
    assert.is(headers['ratelimit-remaining'], '1')
  })
})

test('a principal is limited wherever they come from, and others are not', async () => {
  const limits = { create: { address: false, principal: two } } as const
  await withLimits(limits, async ({ doors }) => {
    const as = (name: string) => create({ Authorization: `Bearer ${name}` }, 'mine')
    assert.is((await doors.http(as('ann'))).status, 201)
    assert.is((await doors.fetch(as('ann'))).status, 201)
    assert.is((await doors.http(as('ann'))).status, 429)
    assert.is((await doors.http(as('bob'))).status, 201)
    assert.is((await doors.http(create())).status, 201)
  })
})

test('all of a project is limited together, where that is asked for', async () => {
  const limits = { create: { project: two } } as const
  await withLimits(limits, async ({ doors }) => {
    const as = (name: string) => create({ Authorization: `Bearer ${name}` }, 'mine')
    assert.is((await doors.http(as('ann'))).status, 201)
    assert.is((await doors.http(as('bob'))).status, 201)
    assert.is((await doors.http(as('cyd'))).json().code, 'RATE_LIMITED')
  })
})

test('a ticket counts for whom it was given to, and prepare is counted apart', async () => {
  const limits = { create: { principal: two }, prepare: { principal: two } } as const
  await withLimits(limits, async ({ doors }) => {
    const file = { name: 'a.bin', size: 10, type: '' }
    const prepare = (name: string) =>
      doors.http({
        method: 'POST',
        path: '/uploads/mine/prepare',
        headers: { Authorization: `Bearer ${name}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ files: [file] }),
      })
    const first = await prepare('ann')
    assert.is(first.status, 200)
    assert.is(
      first.headers['ratelimit-policy']?.includes('"prepare-principal";q=2;w=90'),
      true,
    )
    const [{ ticket } = { ticket: '' }] = first.json().files as { ticket: string }[]
    const withTicket = () => doors.http(create({ 'Upload-Ticket': ticket }, 'mine'))
    const statuses = [await withTicket(), await withTicket(), await withTicket()]
    assert.equal(
      statuses.map(({ status }) => status),
      [201, 201, 429],
    )
    assert.is((await prepare('ann')).status, 200)
    assert.is((await prepare('ann')).json().code, 'RATE_LIMITED')
    assert.is((await prepare('bob')).status, 200)
  })
})

test('P5: an upload that lives is never refused, however far beyond its client is', async () => {
  const one = { points: 1, per: '1h' } as const
  await withLimits(
    { create: one, prepare: one, auth: one, read: one },
    async ({ doors }) => {
      const created = await doors.http(create({ 'Upload-Length': '20' }))
      const path = new URL(created.headers.location ?? '', 'http://localhost').pathname
      for (let i = 0; i < 3; i++) assert.is((await doors.http(create())).status, 429)
      // Wrong credentials beyond their limit as well.
      for (let i = 0; i < 3; i++)
        await doors.http(create({ Authorization: 'Bearer expired' }, 'mine'))
      const patch = { method: 'PATCH', path, body: 'hello' }
      const type = { 'Content-Type': 'application/offset+octet-stream' }
      for (let i = 0; i < 5; i++) {
        assert.is((await doors.http({ method: 'HEAD', path })).status, 200)
        assert.is((await doors.http({ method: 'GET', path })).status, 200)
      }
      const first = await doors.http({
        ...patch,
        headers: { ...type, 'Upload-Offset': '0' },
      })
      assert.is(first.status, 204)
      const override = {
        ...type,
        'Upload-Offset': '5',
        'X-HTTP-Method-Override': 'PATCH',
      }
      const second = await doors.http({ ...patch, method: 'POST', headers: override })
      assert.is(second.status, 204)
      assert.is((await doors.http({ method: 'DELETE', path })).status, 204)
    },
  )
})

test('what the protocol refuses, and what it asks of OPTIONS, costs no points', async () => {
  await withLimits({ create: two }, async ({ doors }) => {
    for (let i = 0; i < 5; i++) {
      assert.is((await doors.http(create({ 'Upload-Length': 'x' }))).status, 400)
      const options = { method: 'OPTIONS', path: '/uploads/demo' }
      assert.is((await doors.http(options)).status, 204)
    }
    assert.is((await doors.http(create())).headers['ratelimit-remaining'], '1')
  })
})

test('without limits nobody is counted, and no header speaks of them', async () => {
  await withLimits(false, async ({ doors, uploads }) => {
    const { headers, status } = await doors.http(create())
    assert.is(status, 201)
    assert.equal(
      Object.keys(headers).filter((name) => name.startsWith('ratelimit')),
      [],
    )
    const counts = await uploads.db.query({
      name: 'x',
      sql: 'SELECT key FROM carcosa.rate_count',
    })
    assert.equal(counts, [])
  })
})

test('by default a batch of hundreds at once is no matter', async () => {
  await withLimits(undefined, async ({ doors }) => {
    const statuses = await statusesOf(500, [doors.http])
    assert.is(times(statuses, 201), 500)
    assert.is((await doors.http(create())).headers['ratelimit-limit'], '6000')
  })
})

test('who is known to be beyond a limit does not reach the database', async () => {
  await withLimits({ create: two }, async ({ doors, uploads }) => {
    await statusesOf(3, [doors.http])
    const counted = () =>
      uploads.db.query<{ points: number }>({
        name: 'points',
        sql: `SELECT points FROM carcosa.rate_count WHERE key = 'create:address:127.0.0.1'`,
      })
    const [before] = await counted()
    const statuses = await statusesOf(20, [doors.http])
    assert.is(times(statuses, 429), 20)
    assert.equal(await counted(), [before])
  })
})

test('a table that is gone: the process counts alone, warns once, and nothing fails', async () => {
  const { logger, warnings } = listener()
  await withLimits(
    fifty,
    async (server) => {
      await server.uploads.db.executeSql('DROP TABLE carcosa.rate_count')
      await lets50Through([server])
      assert.is(warnings.filter(isAboutCounters).length, 1)
    },
    { logger },
  )
})

test('counts whose window is over are swept away', async () => {
  const limits = {
    create: { address: { points: 5, per: '1s' }, principal: two },
  } as const
  await withLimits(limits, async ({ doors, uploads }) => {
    await doors.http(create({ Authorization: 'Bearer ann' }, 'mine'))
    const keys = () =>
      uploads.db.query<{ key: string }>({
        name: 'keys',
        sql: 'SELECT key FROM carcosa.rate_count ORDER BY key',
      })
    assert.is((await keys()).length, 2)
    await sleep(1_100)
    const { signal } = new AbortController()
    await jobHandlers(uploads)['uploads.sweep']({}, { id: 'x', attempt: 1, signal })
    const left = await keys()
    assert.is(left.length, 1)
    assert.match(left[0]?.key ?? '', /^create:principal:[\w-]{43}$/)
  })
})

test('refusals are counted, by what was refused', async () => {
  await withLimits({ create: two }, async ({ carcosa, doors }) => {
    await statusesOf(5, [doors.http])
    const { body: text } = await carcosa.metrics()
    assert.match(text, /^carcosa_rate_limited_total\{operation="create"\} 3$/m)
    assert.match(text, /^carcosa_rate_limited_total\{operation="auth"\} 0$/m)
  })
})

test('points come back when their window is over', async () => {
  await withLimits({ create: { points: 1, per: '1s' } }, async ({ doors }) => {
    assert.is((await doors.http(create())).status, 201)
    const refused = await doors.http(create())
    assert.is(refused.status, 429)
    const wait = Number(refused.headers['retry-after'])
    assert.is(wait, 1)
    await new Promise((resolve) => setTimeout(resolve, wait * 1_000 + 50))
    assert.is((await doors.http(create())).status, 201)
  })
})

test.run()
