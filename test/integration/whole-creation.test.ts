/** The short way of a file that comes whole with its creation. */
import { createHash } from 'node:crypto'
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
  called: route({ blob: {} })
    .public()
    .onUploadComplete(({ file }) => ({ size: file.size })),
})
/** What is in the store under the key of the next file already. */
let before: Buffer | null = null
const store = Object.assign(memory(), {
  keyFor({ id }: { id: string }) {
    const object = { bytes: before ?? body, finished: true, modifiedAt: new Date() }
    if (before) store.objects.set(id, object)
    return id
  },
})
/** What happens between the store and the row. */
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
    { router, auth, store },
    {
      async faults(point) {
        if (point === 'finish:before-commit') await beforeRow()
      },
    },
  )
})
test.before.each(() => {
  beforeRow = async () => {}
  before = null
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

test('it is stored by the time it is answered, and told of as any other', async () => {
  const answer = await post()
  assert.is(answer.status, 201)
  assert.is(answer.headers['upload-offset'], String(body.length))
  const row = await server.row(answer.headers.location ?? '')
  assert.is(row.state, 'ready')
  assert.is(row.expiresAt, null)
  assert.is(row.sha256, createHash('sha256').update(body).digest('hex'))
  assert.equal(store.objects.get(row.key)?.bytes, body)
  const told = await server.carcosa.api.events.list({ topic: { file: row.id } })
  assert.equal(
    told.map(({ type }) => type),
    ['file.created', 'file.stored', 'file.ready'],
  )
})

test('its row does not exist before its bytes are safe', async () => {
  let rows = -1
  let objects = -1
  beforeRow = async () => {
    rows = await server.uploads.db.prisma.file.count({ where: { state: 'created' } })
    objects = [...store.objects.values()].filter(({ finished }) => finished).length
  }
  await post()
  assert.equal([rows, objects], [0, 1])
})

test('its completion callback runs', async () => {
  const answer = await post({}, 'called')
  const path = `${answer.headers.location}?wait=5`
  const status = (await server.doors.http({ method: 'GET', path })).json()
  assert.is(status.state, 'ready')
  assert.equal(status.serverData, { size: body.length })
})

test('what a process leaves that dies before the row is found and deleted', async () => {
  beforeRow = async () => {
    throw new Error('dead')
  }
  assert.is((await post()).status, 500)
  assert.is(store.objects.size, 1)
  const lastWeek = new Date(Date.now() - 7 * 24 * 3_600_000)
  for (const object of store.objects.values()) object.modifiedAt = lastWeek
  const { stores } = await server.carcosa.api.stores.collect()
  assert.is(stores[0]?.orphans.removed, 1)
  assert.is(store.objects.size, 0)
})

// Two copies of one virtual machine may draw the same ids.
test('where its key is in use it is refused, and what is there stays as it is', async () => {
  before = Buffer.from('somebody else')
  const answer = await post()
  assert.is(answer.status, 503, answer.text)
  assert.is(answer.json().code, 'OBJECT_EXISTS')
  assert.is(answer.headers['retry-after'], '1')
  const held = [...store.objects.values()].map(({ bytes }) => bytes.toString())
  assert.equal(held, ['somebody else'])
  before = null
  assert.is((await post()).status, 201, 'its next try')
})

test('bytes whose commit may have happened are not deleted', async () => {
  const rename = (from: string, to: string) =>
    server.uploads.db.executeSql(`ALTER TABLE carcosa.${from} RENAME TO ${to}`)
  await rename('event', 'event_gone')
  const answer = await post()
  await rename('event_gone', 'event')
  assert.is(answer.status, 500)
  assert.is(store.objects.size, 1)
})

test('a body that goes on behind its length leaves nothing', async () => {
  const answer = await post({ 'Upload-Length': '10' })
  assert.is(answer.json().code, 'LENGTH_EXCEEDED')
  assert.is(store.objects.size, 0)
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
