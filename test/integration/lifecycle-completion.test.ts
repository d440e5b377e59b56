/** How an upload ends well: callback, digest, detected type, and what repairs each. */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError, createRouter, route } from '../../src/index.ts'
import { recordDigest, redriveCompletion } from '../../src/uploads/completion.ts'
import type { FaultPoint } from '../../src/uploads/faults.ts'
import { previewSweep, sweep } from '../../src/uploads/sweep.ts'
import {
  begin,
  eventsOf,
  jobsOf,
  seenBy,
  statusOf,
  type Upload,
  upload,
} from '../support/lifecycle.ts'
import { eventually } from '../support/raw-http.ts'
import { offsetOf, offsetStream, patch } from '../support/records.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** What the callback `called` does next, by name of the file; and how often it ran. */
const acts = new Map<string, (run: number) => unknown>()
const runs = new Map<string, number>()
const told: { name: string; code: string; metadata: unknown }[] = []

const open = { maxFileSize: '1MB', acl: 'public-read' } as const
const router = createRouter({
  plain: route({ blob: open }).public(),
  called: route({ blob: open })
    .public()
    .middleware(() => ({ from: 'middleware' }))
    .onUploadComplete(({ file }) => {
      const run = (runs.get(file.name) ?? 0) + 1
      runs.set(file.name, run)
      // JSON, or whatever a program without types returns.
      return acts.get(file.name)?.(run) as string
    })
    .onUploadError(({ error, file, metadata }) => {
      told.push({ name: file.name, code: error.code, metadata })
    }),
  picture: route({ image: open })
    .public()
    .onUploadError(({ error, file, metadata }) => {
      told.push({ name: file.name, code: error.code, metadata })
    }),
})

/** The claim is short; a test that lets it run out need not wait long. */
const claimMs = 400
const armed = new Map<FaultPoint, Error>()
const faults = (point: FaultPoint) => {
  const error = armed.get(point)
  armed.delete(point)
  if (error) throw error
}

const test = suite('lifecycle: completion')
let server: TestServer
test.before(async () => {
  server = await startServer({ router }, { claimMs, faults })
})
test.after(() => server.close())

let names = 0

/** Uploads to `called`, whose callback does `act`. */
async function call(act: (run: number) => unknown): Promise<Upload & { name: string }> {
  const name = `file-${names++}`
  acts.set(name, act)
  const made = await upload(server, 'called', {
    body: 'content',
    metadata: { filename: name },
  })
  return { ...made, name }
}

/** Waits until the callback of an upload ran `times` times and has ended. */
async function ran({ name, url }: Upload & { name: string }, times: number) {
  await eventually(
    async () => [runs.get(name) ?? 0, (await server.row(url)).claimedUntil],
    ([count, claim]) => Number(count) >= times && claim === null,
  )
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

function objects(): string[] {
  const found = readdirSync(join(server.dataDir, 'files'), { recursive: true })
  return found.map(String).filter((path) => path.length > 10)
}

test('what the callback returns reaches the client that waits for it', async () => {
  const made = await call(async () => {
    await sleep(50)
    return { list: [1, null, 'ü'], nested: { ok: true } }
  })
  const { state, serverData, type, sha256: digest } = await statusOf(server, made, 10)
  assert.is(state, 'ready')
  assert.equal(serverData, { list: [1, null, 'ü'], nested: { ok: true } })
  assert.is(type, 'application/octet-stream')
  assert.is(digest, sha256('content'))
  assert.equal(await eventsOf(server, made), [
    'file.created',
    'file.stored',
    'file.ready',
  ])
})

for (const [what, returned, kept] of [
  ['nothing', undefined, null],
  ['false', false, false],
  ['an empty text', '', ''],
  ['text Postgres cannot keep', 'a\0b\uD800', 'a\uFFFDb\uFFFD'],
] as const) {
  test(`a callback may return ${what}`, async () => {
    const made = await call(() => returned)
    const { state, serverData } = await statusOf(server, made, 10)
    assert.is(state, 'ready')
    assert.is(serverData, kept)
  })
}

test('without a callback a file is ready at once, and no job is left', async () => {
  const made = await upload(server, 'plain', 'content')
  assert.is((await server.row(made.url)).state, 'ready')
  assert.equal(await jobsOf(server, made), [])
  assert.equal(await eventsOf(server, made), [
    'file.created',
    'file.stored',
    'file.ready',
  ])
})

test('a callback that fails twice is tried again, and then the file is ready', async () => {
  const made = await call((run) => {
    if (run < 3) throw new Error('the mail server is down')
    return { run }
  })
  await ran(made, 1)
  assert.equal(await jobsOf(server, made), ['upload.complete'])
  await assertThrows(redriveCompletion(server.uploads, made.id), /failed; retrying/)
  assert.is((await statusOf(server, made)).state, 'stored')
  await redriveCompletion(server.uploads, made.id)
  const { state, serverData } = await statusOf(server, made)
  assert.is(state, 'ready')
  assert.equal(serverData, { run: 3 })
  assert.equal(await eventsOf(server, made), [
    'file.created',
    'file.stored',
    'file.ready',
  ])
  await redriveCompletion(server.uploads, made.id)
  assert.is(runs.get(made.name), 3, 'a job that comes late does nothing')
})

test('while its callback is tried again the file can be read', async () => {
  const made = await call((run) => {
    if (run === 1) throw new Error('not yet')
  })
  await ran(made, 1)
  const file = await server.doors.http({ method: 'GET', path: `/files/${made.id}` })
  assert.is(file.text, 'content')
})

test('a callback that fails five times makes the file failed, and the route is told', async () => {
  const made = await call(() => {
    throw new Error('never')
  })
  await ran(made, 1)
  for (let again = 2; again <= 4; again++) {
    await assertThrows(redriveCompletion(server.uploads, made.id), /retrying/)
  }
  await redriveCompletion(server.uploads, made.id)
  const { state, failure } = await statusOf(server, made)
  assert.is(state, 'failed')
  assert.is(failure?.code, 'CALLBACK_FAILED')
  assert.not.match(failure?.message ?? '', 'never')
  assert.is(runs.get(made.name), 5)
  assert.equal(toldOf(made.name), ['CALLBACK_FAILED'])
  assert.equal(await eventsOf(server, made), [
    'file.created',
    'file.stored',
    'file.failed',
  ])
  assert.equal(await seenBy(server, made), [410, 410, 404])
})

/** A file whose callback failed for good. */
async function failed(): Promise<Upload & { name: string }> {
  const made = await call(() => {
    throw new Error('never')
  })
  await ran(made, 1)
  for (let again = 2; again <= 5; again++)
    await redriveCompletion(server.uploads, made.id).catch(() => {})
  return made
}

test('the bytes of a failed file can be rescued for a week, and then go', async () => {
  const before = objects()
  const made = await failed()
  const { state, purgeAfter } = await server.row(made.url)
  assert.is(state, 'failed')
  const left = Number(purgeAfter) - Date.now()
  assert.ok(Math.abs(left - 7 * 24 * 3_600_000) < 60_000, `${left}`)
  await sweep(server.uploads)
  assert.is(objects().length, before.length + 1)
  await server.uploads.db.executeSql(
    `UPDATE carcosa.file SET purge_after = now() - interval '1 second' WHERE id = $1`,
    [made.id],
  )
  assert.is((await previewSweep(server.uploads)).purged, 1)
  assert.is((await sweep(server.uploads)).purged, 1)
  assert.equal(objects(), before)
  const after = await server.row(made.url)
  assert.is(after.state, 'failed', 'it is still known what became of it')
  assert.ok(after.purgedAt)
  assert.is((await sweep(server.uploads)).purged, 0)
})

test('a failed file that is deleted is gone with its bytes, and does not come back', async () => {
  const before = objects()
  const made = await failed()
  const { files } = server.carcosa.api
  assert.ok(await files.delete(made.id))
  assert.equal(objects(), before)
  assert.is((await server.row(made.url)).purgeAfter, null)
  const back = await files.restore(made.id).catch(({ code }) => code)
  assert.is(back, 'RESTORE_TOO_LATE')
})

test('a callback that says no rejects the file: its bytes go, the route is told', async () => {
  const before = objects()
  const made = await call(() => {
    throw new CarcosaError('UPLOAD_REJECTED', { message: 'There is a virus in it.' })
  })
  const { state, failure, url } = await statusOf(server, made, 10)
  assert.is(state, 'rejected')
  assert.equal(failure, { code: 'UPLOAD_REJECTED', message: 'There is a virus in it.' })
  assert.is(url, null)
  await eventually(
    () => toldOf(made.name),
    (codes) => codes.length > 0,
  )
  assert.equal(toldOf(made.name), ['UPLOAD_REJECTED'])
  assert.equal(told.at(-1)?.metadata, { from: 'middleware' })
  assert.equal(objects(), before)
  assert.equal(await seenBy(server, made), [410, 410, 404])
  assert.equal(await eventsOf(server, made), [
    'file.created',
    'file.stored',
    'file.rejected',
  ])
  await redriveCompletion(server.uploads, made.id)
  assert.is(runs.get(made.name), 1)
})

for (const code of [
  ...(['DATABASE_UNAVAILABLE', 'STORAGE_UNAVAILABLE', 'SHUTTING_DOWN'] as const),
  ...(['INTERNAL', 'STORAGE_FULL'] as const),
]) {
  test(`${code} in a callback says nothing about the file: it is tried again`, async () => {
    const made = await call((run) => {
      if (run === 1) throw new CarcosaError(code)
    })
    await ran(made, 1)
    assert.is((await statusOf(server, made)).state, 'stored')
    await redriveCompletion(server.uploads, made.id)
    assert.is((await statusOf(server, made)).state, 'ready')
    assert.equal(toldOf(made.name), [])
  })
}

test('a database that is gone when the callback returned rejects nothing', async () => {
  armed.set('completion:after-callback', new CarcosaError('DATABASE_UNAVAILABLE'))
  const made = await call(() => 'done')
  await ran(made, 1)
  assert.is((await statusOf(server, made)).state, 'stored')
  assert.equal(objects().filter((path) => path.includes(made.id)).length, 1)
  await redriveCompletion(server.uploads, made.id)
  assert.is((await statusOf(server, made)).state, 'ready')
})

test('a callback that takes long keeps its claim: nobody runs it a second time', async () => {
  let finish = () => {}
  const made = await call(
    () =>
      new Promise<string>((resolve) => {
        finish = () => resolve('at last')
      }),
  )
  const until = Date.now() + 4 * claimMs
  while (Date.now() < until) {
    await assertThrows(redriveCompletion(server.uploads, made.id), /in progress/)
    await sleep(50)
  }
  finish()
  assert.is((await statusOf(server, made, 10)).serverData, 'at last')
  assert.is(runs.get(made.name), 1)
})

test('a claim whose process died runs out, and the job runs the callback', async () => {
  const made = await call((run) => `run ${run}`)
  await statusOf(server, made, 10)
  // As it stands after a process died between file.stored and the callback's end.
  await server.uploads.db.prisma.file.update({
    where: { id: made.id },
    data: { state: 'stored', claimedUntil: new Date(Date.now() + claimMs) },
  })
  await assertThrows(redriveCompletion(server.uploads, made.id), /in progress/)
  await sleep(claimMs + 50)
  await redriveCompletion(server.uploads, made.id)
  assert.is((await statusOf(server, made)).serverData, 'run 2')
})

test('of ten jobs for one file one runs the callback', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const made = await call(async (run) => {
    if (run === 1) throw new Error('first')
    await released
    return run
  })
  await ran(made, 1)
  let refused = 0
  const jobs = Array.from({ length: 10 }, () =>
    redriveCompletion(server.uploads, made.id).catch(() => {
      if (++refused === 9) release()
    }),
  )
  await Promise.all(jobs)
  assert.is(refused, 9)
  assert.is(runs.get(made.name), 2)
})

test('a job for a file that was removed does nothing', async () => {
  const made = await call(() => {
    throw new Error('first')
  })
  await ran(made, 1)
  await server.carcosa.api.files.delete(made.id)
  await redriveCompletion(server.uploads, made.id)
  await recordDigest(server.uploads, made.id)
  assert.is(runs.get(made.name), 1)
})

// A client that leaves.

test('a web request whose body fails at once is a client that left, not the end of all', async () => {
  const made = await begin(server, 'plain', { length: 10 })
  const body = new ReadableStream({ start: (to) => to.error(new Error('gone')) })
  const headers = {
    'Tus-Resumable': '1.0.0',
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
  }
  const init = { method: 'PATCH', headers, body, duplex: 'half' } as RequestInit
  const answer = await server.carcosa.fetch(
    new Request(`http://carcosa.test${made.url}`, init),
  )
  assert.is(answer.headers.get('upload-offset'), '0')
  assert.is(await offsetOf(server.doors.http, made.url), 0)
})

// The digest.

test('of bytes in order through one process the digest is there with the last one', async () => {
  const made = await begin(server, 'plain', { length: 12 })
  for (const [offset, body] of [
    [0, 'abcd'],
    [4, 'efgh'],
    [8, 'ijkl'],
  ] as const) {
    await patch(server.doors.http, made.url, { offset, body })
  }
  assert.is((await server.row(made.url)).sha256, sha256('abcdefghijkl'))
  assert.equal(await jobsOf(server, made), [])
})

test('of bytes through another process a job makes the digest, once', async () => {
  const made = await begin(server, 'plain', { length: 8 })
  await patch(server.doors.http, made.url, { offset: 0, body: 'abcd' })
  server.uploads.tails.drop(made.id)
  await patch(server.doors.http, made.url, { offset: 4, body: 'efgh' })
  assert.is((await server.row(made.url)).sha256, null)
  assert.equal(await jobsOf(server, made), ['upload.digest'])
  await recordDigest(server.uploads, made.id)
  await recordDigest(server.uploads, made.id)
  assert.is((await server.row(made.url)).sha256, sha256('abcdefgh'))
})

// The type.

const png = Buffer.concat([
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
  Buffer.alloc(60),
])
const html = '<!doctype html><script>alert(1)</script>'

test('a picture that is one is served as one', async () => {
  const metadata = { filename: 'a.png', filetype: 'image/png' }
  const made = await upload(server, 'picture', { body: png, metadata })
  const row = await server.row(made.url)
  assert.is(row.detectedType, 'image/png')
  assert.is(row.contentType, 'image/png')
})

test('a page that calls itself a picture is refused, its bytes go, the route is told', async () => {
  const before = objects()
  const metadata = { filename: 'page.png', filetype: 'image/png' }
  const made = await begin(server, 'picture', { length: html.length, metadata })
  const answer = await patch(server.doors.http, made.url, { offset: 0, body: html })
  assert.is(answer.status, 415)
  assert.is(answer.json().code, 'TYPE_NOT_ALLOWED')
  assert.is((await server.row(made.url)).state, 'rejected')
  assert.equal(objects(), before)
  assert.equal(toldOf('page.png'), ['TYPE_NOT_ALLOWED'])
  assert.equal(await eventsOf(server, made), ['file.created', 'file.rejected'])
  assert.equal(await seenBy(server, made), [410, 410, 404])
})

test('any bytes will do where any type is taken; what they are is noted', async () => {
  const metadata = { filetype: 'application/octet-stream' }
  const made = await upload(server, 'plain', { body: png, metadata })
  const row = await server.row(made.url)
  assert.is(row.state, 'ready')
  assert.is(row.detectedType, 'image/png')
})

// The length.

test('an upload whose length comes last is completed by it', async () => {
  const made = await begin(server, 'called', { length: null })
  await patch(server.doors.http, made.url, { offset: 0, body: 'abcd' })
  assert.is((await statusOf(server, made)).size, null)
  const headers = { 'Upload-Length': '4' }
  const sent = await patch(server.doors.http, made.url, { offset: 4, body: '', headers })
  assert.is(sent.status, 204)
  const { state, size, sha256: digest } = await statusOf(server, made, 10)
  assert.is(state, 'ready')
  assert.is(size, 4)
  assert.is(digest, sha256('abcd'))
})

test('an empty file is complete when it is created', async () => {
  const made = await begin(server, 'called', { length: 0 })
  const { state, sha256: digest } = await statusOf(server, made, 10)
  assert.is(state, 'ready')
  assert.is(digest, sha256(''))
  assert.equal(await eventsOf(server, made), [
    'file.created',
    'file.stored',
    'file.ready',
  ])
})

test.run()

function toldOf(name: string): string[] {
  return told.filter((call) => call.name === name).map(({ code }) => code)
}

async function assertThrows(work: Promise<void>, expected: RegExp): Promise<void> {
  const message = await work.then(
    () => 'it did not throw',
    (error: Error) => error.message,
  )
  assert.match(message, expected)
}
