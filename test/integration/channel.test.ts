/** What src/channel promises, over both of its carriers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Channel } from '../../src/channel/channel.ts'
import { openChannel, openRedisChannel } from '../../src/channel/open.ts'
import type { Database } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { type Logger, silentLogger } from '../../src/shared/logger.ts'
import { upload } from '../support/lifecycle.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { type RedisServer, redisServer } from '../support/redis-server.ts'
import { requires } from '../support/requirements.ts'
import { startServer } from '../support/server.ts'

interface Node {
  db: Database
  channel: Channel
}

interface Context {
  database: TestDatabase
  redis: RedisServer | null
  one: Node
  two: Node
}

const carriers = {
  Postgres: suite<Context>('messages between processes by NOTIFY'),
  Redis: requires('redis-server', suite<Context>('messages between processes by Redis')),
}

for (const [name, test] of Object.entries(carriers)) {
  test.before(async (context) => {
    context.database = await postgres()
    context.redis = name === 'Redis' ? await redisServer() : null
    const db = await openDatabase(context.database.url)
    await migrate(db)
    await db.close()
  })
  test.before.each(async (context) => {
    context.one = await node(context)
    context.two = await node(context)
  })
  test.after.each(async ({ one, two }) => {
    for (const { channel, db } of [one, two]) {
      await channel.close()
      await db.close()
    }
  })
  test.after(async ({ database, redis }) => {
    await redis?.stop()
    await database.drop()
  })

  test('a message reaches this process at once and another one soon', async ({
    one,
    two,
  }) => {
    const here = heard(one.channel, 'file')
    const there = heard(two.channel, 'file')
    one.channel.send('file', 'a')
    assert.equal(here, ['a'])
    await until(() => there.length > 0)
    await sleep(100)
    assert.equal(there, ['a'])
    assert.equal(here, ['a'], 'it does not come back')
  })

  test('messages are told in order, the same one once, and each to its topic only', async ({
    one,
    two,
  }) => {
    const files = heard(two.channel, 'file')
    const others = heard(two.channel, 'other')
    for (const message of ['a', 'b', 'a', 'c']) one.channel.send('file', message)
    one.channel.send('other', 'd', true)
    await until(() => files.length === 3 && others.length === 1)
    assert.equal(files, ['a', 'b', 'c'])
  })

  test('more than fits into one NOTIFY arrives all the same', async ({ one, two }) => {
    const there = heard(two.channel, 'file')
    const messages = Array.from({ length: 500 }, (_, i) => `${i} ${'x'.repeat(900)}`)
    for (const message of messages) one.channel.send('file', message)
    await until(() => there.length === messages.length)
    assert.equal(there, messages)
  })

  test('a message that is too long is a bug of the sender', ({ one }) => {
    assert.throws(() => one.channel.send('file', 'x'.repeat(1001)), /longer than 1000/)
  })

  test('whoever listened no more is told nothing', async ({ one, two }) => {
    const there: string[] = []
    const stop = two.channel.on('file', (message) => there.push(message))
    stop()
    const after = heard(two.channel, 'file')
    one.channel.send('file', 'a', true)
    await until(() => after.length > 0)
    assert.equal(there, [])
  })

  test('a lost connection is made again, and listeners are told of the gap', async (context) => {
    const { one, two } = context
    let gaps = 0
    two.channel.onGap(() => gaps++)
    await cut(context)
    await until(() => gaps > 0)
    assert.ok(two.channel.connected)
    assert.is(gaps, 1)
    const there = heard(two.channel, 'file')
    one.channel.send('file', 'a')
    await until(() => there.length > 0)
  })

  test('closing twice is closing once, and ends all connections', async (context) => {
    const third = await node(context)
    await third.channel.close()
    await third.channel.close()
    await third.db.close()
  })
}

carriers.Postgres(
  'a channel that nothing comes through says what to do',
  async ({ one }) => {
    const { warnings, log } = warned()
    const listen: Database['listen'] = (_, handlers) => {
      const listening = one.db.listen?.('elsewhere', handlers)
      if (!listening) throw new TypeError('Postgres can listen')
      return listening
    }
    const deaf = openChannel({ ...one.db, listen }, log)
    await until(() => warnings.length > 0)
    assert.match(warnings.join(), /CARCOSA_DIRECT_DATABASE.*CARCOSA_REDIS/)
    assert.is(deaf.connected, false)
    await deaf.close()
  },
)

carriers.Redis(
  'a channel that nothing comes through says what to do',
  async (context) => {
    const { warnings, log } = warned()
    const third = await node(context, log)
    let gaps = 0
    third.channel.onGap(() => gaps++)
    // Connections stay, and nothing comes through.
    await context.redis?.command('CLIENT', 'PAUSE', '16000', 'ALL')
    await until(() => warnings.some((text) => text.includes('CARCOSA_REDIS')))
    assert.is(third.channel.connected, false)
    await until(() => third.channel.connected)
    assert.is(gaps, 1)
    await third.channel.close()
    await third.db.close()
  },
)

carriers.Redis('another database on the same Redis is not heard', async (context) => {
  const { one, two } = context
  const other = { ...context, database: await postgres() }
  const db = await openDatabase(other.database.url)
  await migrate(db)
  await db.close()
  const stranger = await node(other)
  const there = heard(stranger.channel, 'file')
  const here = heard(two.channel, 'file')
  one.channel.send('file', 'a', true)
  await until(() => here.length === 1)
  stranger.channel.send('file', 'b', true)
  await sleep(100)
  assert.equal(there, ['b'])
  assert.equal(here, ['a'])
  await stranger.channel.close()
  await stranger.db.close()
  await other.database.drop()
})

carriers.Redis('Postgres is not listened to', async ({ one }) => {
  const { rows } = await one.db.executeSql(
    `SELECT count(*)::int AS count FROM pg_stat_activity
     WHERE application_name = 'carcosa listen' AND datname = current_database()`,
  )
  assert.equal(rows, [{ count: 0 }])
})

carriers.Redis(
  'a Redis that is not there keeps nothing from starting',
  async (context) => {
    const url = 'redis://127.0.0.1:1'
    const { warnings, log } = warned()
    const channel = await openRedisChannel(context.one.db, url, log)
    const here = heard(channel, 'file')
    channel.send('file', 'a')
    assert.equal(here, ['a'])
    await until(() => warnings.length > 0)
    assert.is(channel.connected, false)
    await channel.close()
  },
)

carriers.Redis('a user who may not listen is told, and may later', async (context) => {
  const { redis } = context
  const user = ['ACL', 'SETUSER', 'deaf', 'on', '>pw', '+@all', '~*']
  await redis?.command(...user, 'resetchannels')
  const url = (redis?.url ?? '').replace('//', '//deaf:pw@')
  const { warnings, log } = warned()
  const channel = await openRedisChannel(context.one.db, url, log)
  await until(() => warnings.length > 0)
  assert.is(channel.connected, false)
  await redis?.command(...user, 'allchannels')
  await until(() => channel.connected)
  await channel.close()
})

carriers.Redis('a server tells through it what happens to uploads', async (context) => {
  const { database, redis, two } = context
  const there = heard(two.channel, 'file')
  const server = await startServer({ database: database.url, redis: redis?.url ?? '' })
  const { id } = await upload(server, 'demo', 'hello')
  await until(() => there.some((message) => message.includes(id)))
  await server.close()
})

for (const test of Object.values(carriers)) test.run()

async function node(
  { database, redis }: Context,
  log: Logger = silentLogger,
): Promise<Node> {
  const db = await openDatabase(database.url)
  const channel = redis
    ? await openRedisChannel(db, redis.url, log)
    : openChannel(db, log)
  await until(() => channel.connected)
  return { db, channel }
}

/** Ends the connections of those that listen. */
async function cut({ redis, one }: Context): Promise<void> {
  if (redis) return void (await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub'))
  await one.db.executeSql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'carcosa listen' AND datname = current_database()`,
  )
}

function warned(): { warnings: string[]; log: Logger } {
  const warnings: string[] = []
  const warn = (_: object, text: string) => void warnings.push(text)
  return { warnings, log: { ...silentLogger, warn } }
}

function heard(channel: Channel, topic: string): string[] {
  const messages: string[] = []
  channel.on(topic, (message) => messages.push(message))
  return messages
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error('This did not come true.')
    await sleep(10)
  }
}
