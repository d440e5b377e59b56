/** A file that comes whole with its creation is put into its store while its row is written. */
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRouter, route } from '../../src/index.ts'
import { memory } from '../../stores/memory.ts'
import type { Answered } from '../support/exchange.ts'
import { bearer, startServer, type TestServer } from '../support/server.ts'

const body = Buffer.alloc(10 * 1024, 'carcosa ')
const router = createRouter({
  demo: route({ blob: {} }).public(),
  image: route({ image: {} }).public(),
})
const store = memory()
/** What the store and the database did, in order. */
let done: string[] = []
/** What the row waits for. */
let beforeRow: () => Promise<unknown> = async () => {}

/** Whoever names a project is in it. */
const auth = [
  {
    ...bearer,
    authenticate: ({ headers }: { headers: Headers }) => {
      const projectId = headers.get('x-project')
      return projectId ? { id: 'ann', kind: 'user' as const, projectId } : null
    },
  },
]

const test = suite('a file that comes whole')
let server: TestServer

test.before(async () => {
  server = await startServer(
    {
      router,
      auth,
      store: {
        ...store,
        async write(object, source) {
          const offset = await store.write(object, source)
          done.push('bytes')
          return offset
        },
      },
    },
    {
      async faults(point) {
        if (point !== 'create:after-row') return
        await beforeRow()
        done.push('row')
      },
    },
  )
})
test.before.each(() => {
  done = []
  beforeRow = async () => {}
  store.objects.clear()
})
test.after(() => server.close())

function post(headers: Record<string, string> = {}, name = 'demo'): Promise<Answered> {
  return server.doors.http({
    method: 'POST',
    path: `/uploads/${name}`,
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Length': String(body.length),
      'Content-Type': 'application/offset+octet-stream',
      ...headers,
    },
    body,
  })
}

async function ticketFor(): Promise<string> {
  const answer = await server.doors.http({
    method: 'POST',
    path: '/uploads/demo/prepare',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ files: [{ name: 'a.bin', size: body.length }] }),
  })
  const { files } = answer.json() as { files: { ticket: string }[] }
  return files[0]?.ticket ?? ''
}

test('its bytes do not wait for its row', async () => {
  beforeRow = async () => {
    while (!done.includes('bytes')) await wait(5)
  }
  const answer = await post()
  assert.is(answer.status, 201)
  assert.is(answer.headers['upload-offset'], String(body.length))
  assert.equal(done, ['bytes', 'row'])
  const row = await server.row(answer.headers.location ?? '')
  assert.is(row.state, 'ready')
  assert.equal(store.objects.get(row.key)?.bytes, body)
})

test('it is not answered before its row, however long that takes', async () => {
  beforeRow = () => wait(1_200)
  const answer = await post()
  assert.is(answer.status, 201)
  assert.is((await server.row(answer.headers.location ?? '')).state, 'ready')
})

test('without a row nothing of it is left', async () => {
  const answer = await post({ 'X-Project': 'nobody-knows' })
  assert.is(answer.status, 404)
  assert.is(answer.json().code, 'PROJECT_NOT_FOUND')
  assert.is(store.objects.size, 0)
})

test('what the content rules out is rejected, and its row says so', async () => {
  const answer = await post({ 'Upload-Metadata': 'filetype aW1hZ2UvcG5n' }, 'image')
  assert.is(answer.status, 415)
  assert.is((await server.newest())?.state, 'rejected')
  assert.is(store.objects.size, 0)
})

test('a creation that is repeated finds the first, and leaves one object', async () => {
  const ticket = await ticketFor()
  const first = await post({ 'Upload-Ticket': ticket })
  const again = await post({ 'Upload-Ticket': ticket })
  assert.is(again.status, 201)
  assert.is(again.headers.location, first.headers.location)
  assert.is(again.headers['upload-offset'], String(body.length))
  assert.is(store.objects.size, 1)
})

test('of two that come at once one is the upload, and both are told the same', async () => {
  const ticket = await ticketFor()
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => post({ 'Upload-Ticket': ticket })),
  )
  const places = new Set(answers.map(({ headers }) => headers.location))
  assert.equal(new Set(answers.map(({ status }) => status)), new Set([201]))
  assert.is(places.size, 1)
  const row = await server.row([...places][0] ?? '')
  assert.is(row.state, 'ready')
  assert.equal([...store.objects.keys()], [row.key])
})

test.run()
