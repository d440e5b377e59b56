import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Channel } from '../../src/channel/channel.ts'
import { openChannel } from '../../src/channel/open.ts'
import type { Database } from '../../src/db/database.ts'
import { openDatabase } from '../../src/db/open.ts'
import { silentLogger } from '../../src/shared/logger.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'

const test = suite('messages between processes')

let database: TestDatabase
let one: Node
let two: Node

interface Node {
  db: Database
  channel: Channel
}

test.before(async () => {
  database = await postgres()
})
test.before.each(async () => {
  one = await node()
  two = await node()
})
test.after.each(async () => {
  for (const { channel, db } of [one, two]) {
    await channel.close()
    await db.close()
  }
})
test.after(() => database.drop())

test('a message reaches this process at once and another one soon', async () => {
  const here = heard(one.channel, 'file')
  const there = heard(two.channel, 'file')
  one.channel.send('file', 'a')
  assert.equal(here, ['a'])
  await until(() => there.length > 0)
  await sleep(100)
  assert.equal(there, ['a'])
  assert.equal(here, ['a'], 'it does not come back')
})

test('messages are told in order, the same one once, and each to its topic only', async () => {
  const files = heard(two.channel, 'file')
  const others = heard(two.channel, 'other')
  for (const message of ['a', 'b', 'a', 'c']) one.channel.send('file', message)
  one.channel.send('other', 'd', true)
  await until(() => files.length === 3 && others.length === 1)
  assert.equal(files, ['a', 'b', 'c'])
})

test('more than fits into one NOTIFY arrives all the same', async () => {
  const there = heard(two.channel, 'file')
  const messages = Array.from({ length: 500 }, (_, i) => `${i} ${'x'.repeat(900)}`)
  for (const message of messages) one.channel.send('file', message)
  await until(() => there.length === messages.length)
  assert.equal(there, messages)
})

test('a message that is too long is a bug of the sender', () => {
  assert.throws(() => one.channel.send('file', 'x'.repeat(1001)), /longer than 1000/)
})

test('whoever listened no more is told nothing', async () => {
  const there: string[] = []
  const stop = two.channel.on('file', (message) => there.push(message))
  stop()
  const after = heard(two.channel, 'file')
  one.channel.send('file', 'a', true)
  await until(() => after.length > 0)
  assert.equal(there, [])
})

test('a lost connection is made again, and listeners are told of the gap', async () => {
  let gaps = 0
  two.channel.onGap(() => gaps++)
  await one.db.executeSql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'carcosa listen' AND datname = current_database()`,
  )
  await until(() => !two.channel.connected)
  await until(() => two.channel.connected)
  assert.is(gaps, 1)
  const there = heard(two.channel, 'file')
  one.channel.send('file', 'a')
  await until(() => there.length > 0)
})

test('a channel that nothing comes through says what to do', async () => {
  const warnings: string[] = []
  const log = { ...silentLogger, warn: (_: object, text: string) => warnings.push(text) }
  const listen: Database['listen'] = (_, handlers) => {
    const listening = one.db.listen?.('elsewhere', handlers)
    if (!listening) throw new TypeError('Postgres can listen')
    return listening
  }
  const deaf = openChannel({ ...one.db, listen }, log)
  await until(() => warnings.length > 0)
  assert.match(warnings.join(), /CARCOSA_DIRECT_DATABASE/)
  assert.is(deaf.connected, false)
  await deaf.close()
})

async function node(): Promise<Node> {
  const db = await openDatabase(database.url)
  const channel = openChannel(db, silentLogger)
  await until(() => channel.connected)
  return { db, channel }
}

function heard(channel: Channel, topic: string): string[] {
  const messages: string[] = []
  channel.on(topic, (message) => messages.push(message))
  return messages
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error('This did not come true.')
    await sleep(10)
  }
}

test.run()
