/** The life of an upload on the embedded database: the same statements, transactions and jobs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError, createRouter, route } from '../../src/index.ts'
import { redriveCompletion } from '../../src/uploads/completion.ts'
import { sweep } from '../../src/uploads/sweep.ts'
import {
  begin,
  eventsOf,
  jobsOf,
  seenBy,
  statusOf,
  upload,
} from '../support/lifecycle.ts'
import { eventually } from '../support/raw-http.ts'
import { patch } from '../support/records.ts'
import { startServer, type TestServer } from '../support/server.ts'

const runs = new Map<string, number>()
const open = { maxFileSize: '1MB', acl: 'public-read' } as const
const router = createRouter({
  plain: route({ blob: open }).public(),
  brief: route({ blob: open }).public().expiresIn(200),
  called: route({ blob: open })
    .public()
    .middleware(() => ({ 'a\0': '\uD800' }))
    .onUploadComplete(({ file, metadata }) => {
      const run = (runs.get(file.name) ?? 0) + 1
      runs.set(file.name, run)
      if (file.name === 'refused') throw new CarcosaError('UPLOAD_REJECTED')
      if (file.name === 'again' && run === 1) throw new Error('not yet')
      return { run, metadata }
    }),
})

const test = suite('lifecycle on the embedded database')
let server: TestServer
test.before(async () => {
  server = await startServer({ router, database: 'memory://', worker: true })
})
test.after(() => server.close())

const named = (filename: string) => ({ body: 'content', metadata: { filename } })

test('an upload is created, received, stored and ready, with one event each', async () => {
  const made = await upload(server, 'called', named('a\0\uFFFD.bin'))
  const { state, serverData, name } = await statusOf(server, made, 10)
  assert.is(state, 'ready')
  assert.is(name, 'a\uFFFD\uFFFD.bin')
  assert.equal(serverData, { run: 1, metadata: { 'a\uFFFD': '\uFFFD' } })
  assert.equal(await eventsOf(server, made), [
    'file.created',
    'file.stored',
    'file.ready',
  ])
})

test('a ticket makes one upload, also of ten at once', async () => {
  const prepared = await server.doors.http({
    method: 'POST',
    path: '/uploads/plain/prepare',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ files: [{ name: 'a', size: 10 }] }),
  })
  const [file] = prepared.json().files as { ticket: string }[]
  const headers = { 'Upload-Length': '10', 'Upload-Ticket': file?.ticket ?? '' }
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      server.doors.http({ method: 'POST', path: '/uploads/plain', headers }),
    ),
  )
  assert.is(new Set(answers.map((answer) => answer.headers.location)).size, 1)
})

test('a callback that fails is driven again', async () => {
  const made = await upload(server, 'called', named('again'))
  await eventually(
    async () => (await server.row(made.url)).claimedUntil,
    (claim) => claim === null,
  )
  assert.equal(await jobsOf(server, made), ['upload.complete'])
  await redriveCompletion(server.uploads, made.id)
  const { state, serverData } = await statusOf(server, made)
  assert.is(state, 'ready')
  assert.is((serverData as { run: number }).run, 2)
})

test('a callback that says no rejects the file', async () => {
  const made = await upload(server, 'called', named('refused'))
  assert.is((await statusOf(server, made, 10)).state, 'rejected')
  assert.equal(await seenBy(server, made), [410, 410, 404])
})

test('bytes of another process are hashed by a job', async () => {
  const made = await begin(server, 'plain', { length: 8 })
  await patch(server.doors.http, made.url, { offset: 0, body: 'abcd' })
  server.uploads.tails.drop(made.id)
  await patch(server.doors.http, made.url, { offset: 4, body: 'efgh' })
  await eventually(
    async () => (await server.row(made.url)).sha256,
    (sha256) => sha256?.startsWith('9c56cc51b374c3ba') ?? false,
    15_000,
  )
})

test('an upload without progress expires, a file is deleted, both leave no bytes', async () => {
  const late = await begin(server, 'brief', { length: 10 })
  const file = await upload(server, 'plain', 'content')
  await server.carcosa.api.files.delete(file.id)
  await sleep(250)
  await sweep(server.uploads)
  for (const made of [late, file]) {
    assert.equal(await seenBy(server, made), [410, 410, 404])
    assert.ok((await server.row(made.url)).purgedAt)
  }
  assert.equal(await eventsOf(server, late), ['file.created', 'file.expired'])
})

test.run()
