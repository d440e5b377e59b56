/** What becomes of an upload whose node dies, or only seemed to: two nodes, one directory. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Audit, startAudit } from '../support/chaos/audit.ts'
import { openRecords, type Records } from '../support/chaos/records.ts'
import { type ChaosServer, runServer } from '../support/chaos/run-server.ts'
import * as tus from '../support/chaos/tus.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { eventually, openRaw, type RawConnection } from '../support/raw-http.ts'
import { requires } from '../support/requirements.ts'

const MiB = 1024 ** 2
const size = 4 * MiB
/** How long a lease lives that nobody renews, in ms. */
const leaseTime = 10_000

const test = requires('postgres', suite('a node that'))
let dataDir: string
let database: TestDatabase
let records: Records
let audit: Audit
let one: ChaosServer
let two: ChaosServer

test.before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'carcosa-takeover-'))
  database = await postgres()
  const settings = { dataDir, database: database.url }
  one = await runServer(settings)
  two = await runServer(settings)
  records = await openRecords(database.url)
  audit = await startAudit(database.url)
})
test.after(async () => {
  await one?.kill()
  await two?.kill()
  await records?.close()
  await database?.drop()
  await rm(dataDir, { recursive: true, force: true })
})

/** An upload whose first MiB has come to the first node, in a request that goes on. */
async function underWay(bytes: Buffer): Promise<{ path: string; raw: RawConnection }> {
  const created = await tus.create(one.url, 'plain', size)
  const path = String(created.headers.location)
  const raw = await openRaw(one.port)
  raw.ask('PATCH', path, {
    'Upload-Offset': '0',
    'Content-Type': 'application/offset+octet-stream',
    'Content-Length': String(size),
  })
  raw.write(bytes)
  await eventually(
    () => records.offset(idOf(path)),
    (offset) => offset === bytes.length,
  )
  return { path, raw }
}

const idOf = (path: string) => path.split('/').at(-1) ?? ''

async function finish(path: string, offset: number, byte: string) {
  const body = Buffer.alloc(size - offset, byte)
  const answer = await tus.patch(two.url + path, { offset, body, length: body.length })
  assert.is(answer.status, 204, answer.body)
}

async function served(path: string): Promise<Buffer> {
  const response = await fetch(`${two.url}/files/${idOf(path)}`)
  return Buffer.from(await response.arrayBuffer())
}

test('was frozen and wakes up when another one went on writes not a byte', async () => {
  const first = Buffer.alloc(MiB, 'a')
  const { path, raw } = await underWay(first)
  one.process.kill('SIGSTOP')
  // What it will find when it wakes up, and what no client sends to the other one.
  raw.write(Buffer.alloc(64 * 1024, 'x'))
  const at = Date.now()
  const offset = await tus.offsetOf(two.url + path)
  const waited = Date.now() - at
  assert.ok(waited < leaseTime + 2_000, `it took ${waited} ms`)
  assert.is(offset, MiB)
  const rest = Buffer.alloc(MiB, 'b')
  const sent = await tus.patch(two.url + path, { offset, body: rest, length: MiB })
  assert.is(sent.status, 204)

  one.process.kill('SIGCONT')
  const answer = await raw.answer()
  assert.is(answer.status, 423, answer.body)
  await sleep(1_000)
  assert.is(await tus.offsetOf(two.url + path), 2 * MiB)
  await finish(path, 2 * MiB, 'c')
  const expected = Buffer.concat([first, rest, Buffer.alloc(2 * MiB, 'c')])
  assert.ok((await served(path)).equals(expected), 'its bytes are in the file')
  const { stolen } = await audit.verify([idOf(path)])
  assert.is(stolen, 1)
})

test('is killed is replaced within the time of a lease', async () => {
  const { path } = await underWay(Buffer.alloc(MiB, 'a'))
  await one.kill()
  const at = Date.now()
  const offset = await tus.offsetOf(two.url + path)
  const waited = Date.now() - at
  assert.ok(waited < leaseTime + 2_000, `it took ${waited} ms`)
  assert.is(offset, MiB)
  await finish(path, offset, 'b')
  const expected = Buffer.concat([Buffer.alloc(MiB, 'a'), Buffer.alloc(3 * MiB, 'b')])
  assert.ok((await served(path)).equals(expected))
})

test.run()
