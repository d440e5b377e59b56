/** A creation is counted for the rate limits while its bytes go to the store. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRouter, route } from '../../src/index.ts'
import { memory } from '../../stores/memory.ts'
import type { Answered } from '../support/exchange.ts'
import { postgres } from '../support/postgres.ts'
import { openRaw } from '../support/raw-http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const body = Buffer.alloc(10 * 1024, 'carcosa ')
let asked = 0
const limited = { points: 1, per: '1h' } as const
/** One for each test: who was refused once is refused without being counted. */
const router = createRouter({
  whole: route({ blob: {} }).public().rateLimit(limited),
  refused: route({ blob: {} }).public().rateLimit(limited),
  failing: route({ blob: {} }).public().rateLimit(limited),
  empty: route({ blob: {} }).public().rateLimit(limited),
  expecting: route({ blob: {} }).public().rateLimit(limited),
  image: route({ image: {} }).public().rateLimit(limited),
  asking: route({ blob: {} })
    .public()
    .rateLimit(limited)
    .middleware(() => {
      asked++
      return {}
    }),
})
const store = memory()

const test = suite('a creation that is counted')
let server: TestServer
let database: Awaited<ReturnType<typeof postgres>>
let other: pg.Client

test.before(async () => {
  database = await postgres()
  server = await startServer({ router, store, database: database.url })
  other = new pg.Client({ connectionString: database.url })
  await other.connect()
})
test.before.each(async () => {
  asked = 0
  store.objects.clear()
  await server.uploads.db.executeSql('TRUNCATE carcosa.rate_count')
})
test.after(async () => {
  await other.end()
  await server.close()
  await database.drop()
})

function post(name: string, length = body.length): Promise<Answered> {
  return server.doors.http({
    method: 'POST',
    path: `/uploads/${name}`,
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Length': String(length),
      'Content-Type': 'application/offset+octet-stream',
    },
    body,
  })
}

/** While nobody can be counted. */
async function uncounted<T>(work: () => Promise<T>): Promise<T> {
  await other.query('BEGIN; LOCK TABLE carcosa.rate_count IN ACCESS EXCLUSIVE MODE')
  try {
    return await work()
  } finally {
    await other.query('COMMIT')
  }
}

/** Spends the one point of a route as the requests of another node would. */
async function spend(name: string): Promise<void> {
  await other.query(
    `INSERT INTO carcosa.rate_count (key, points, expires_at)
     VALUES ($1, 1, now() + interval '1 hour')`,
    [`create:${name}:address:127.0.0.1`],
  )
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !isSo(); i++) await sleep(5)
  assert.ok(isSo(), 'in vain')
}

const hasBytes = () =>
  [...store.objects.values()].some(({ bytes }) => bytes.length === body.length)

const rows = () => server.uploads.db.prisma.file.count()

test('its bytes do not wait for its count, and its row does', async () => {
  const before = await rows()
  const answer = await uncounted(async () => {
    const posted = post('whole')
    await until(hasBytes)
    await sleep(50)
    assert.is(await rows(), before)
    return { posted }
  })
  assert.is((await answer.posted).status, 201)
  assert.is(await rows(), before + 1)
})

test('beyond the limit neither bytes nor a row are left', async () => {
  await spend('refused')
  const before = await rows()
  const { posted } = await uncounted(async () => {
    const posted = post('refused')
    await until(hasBytes)
    return { posted }
  })
  const answer = await posted
  assert.is(answer.status, 429)
  assert.is(answer.json().code, 'RATE_LIMITED')
  assert.is(store.objects.size, 0)
  assert.is(await rows(), before)
})

test('beyond the limit what the content rules out is not even noted', async () => {
  await spend('image')
  const before = await rows()
  assert.is((await post('image')).status, 429)
  assert.is(await rows(), before)
})

test('beyond the limit the middleware of the route is not asked', async () => {
  await spend('asking')
  const { posted } = await uncounted(async () => {
    const posted = post('asking')
    await sleep(100)
    assert.is(asked, 0)
    return { posted }
  })
  assert.is((await posted).status, 429)
  assert.is(asked, 0)
  assert.is(store.objects.size, 0)
})

test('beyond the limit the refusal says so, whatever else is wrong', async () => {
  await spend('failing')
  const { write } = store
  store.write = () => Promise.reject(new Error('down'))
  try {
    assert.is((await post('failing')).status, 429)
  } finally {
    store.write = write
  }
})

test('without bytes too the row waits for the count', async () => {
  await spend('empty')
  const before = await rows()
  assert.is((await post('empty', 1_000_000)).status, 429)
  assert.is(await rows(), before)
})

test('W6: beyond the limit nobody is asked for the bytes', async () => {
  await spend('expecting')
  const raw = await openRaw(server.port)
  try {
    await uncounted(async () => {
      raw.ask('POST', '/uploads/expecting', {
        'Tus-Resumable': '1.0.0',
        'Upload-Length': String(body.length),
        'Content-Length': String(body.length),
        'Content-Type': 'application/offset+octet-stream',
        Expect: '100-continue',
      })
      await sleep(100)
    })
    assert.is((await raw.answer()).status, 429)
  } finally {
    raw.cut()
  }
})

test.run()
