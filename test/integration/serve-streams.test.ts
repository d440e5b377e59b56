/** What happens between a reader and a store while the bytes of a file pass. */
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { randomBytesFrom } from '../support/byte-source.ts'
import { seededRandom } from '../support/random.ts'
import { eventually } from '../support/raw-http.ts'
import { type S3Fake, startS3Fake } from '../support/s3-fake.ts'
import type { TestServer } from '../support/server.ts'
import { bucketStore, type Served, serve, startServing } from '../support/serving.ts'
import { startWatchedLine, type WatchedLine } from '../support/watched-line.ts'

const MiB = 1024 * 1024

interface Context {
  fake: S3Fake
  line: WatchedLine
  server: TestServer
  large: Served
  small: Served
}

const bytes = randomBytesFrom(seededRandom(2), 48 * MiB)
const name = 'a.bin'
const type = 'application/octet-stream'

const test = suite<Context>('files on their way from a store')
test.before(async (context) => {
  context.fake = await startS3Fake()
  context.line = await startWatchedLine(context.fake.endpoint)
  const at = { endpoint: context.line.endpoint, bucket: context.fake.bucket }
  // As of a service that hangs up on who does not read, but in less time.
  const client = { requestHandler: { socketTimeout: 2000, connectionTimeout: 2000 } }
  context.server = await startServing(bucketStore(at, client))
  const content = { bytes, name, type }
  context.large = await serve(context.server, 'proxied', content)
  context.small = await serve(context.server, 'proxied', { ...content, bytes: 'hello' })
})
test.after(async ({ server, line, fake }) => {
  await server?.close()
  await line?.close()
  await fake?.close()
})
test.before.each(async ({ fake, line }) => {
  fake.forgetRequests()
  // The client keeps idle connections, which would be counted.
  line.cut()
  await sleep(50)
})

test('a GET is one request to the store, a HEAD none', async (context) => {
  const { fake, server, large, small } = context
  const { http } = server.doors
  await http({ method: 'HEAD', path: large.path })
  await http({ method: 'GET', path: large.path, headers: { 'If-None-Match': '*' } })
  assert.equal(operations(fake), [])
  await http({ method: 'GET', path: small.path })
  assert.equal(operations(fake), ['GetObject'])
  await http({ method: 'GET', path: large.path, headers: { Range: 'bytes=5-9' } })
  assert.equal(operations(fake), ['GetObject', 'GetObject'])
  assert.is(fake.requests[1]?.headers.range, 'bytes=5-9')
  assert.is(fake.requests[1]?.sent, 5, 'and no more bytes than were asked for')
})

for (const Range of ['bytes=0-', 'bytes=100-48000000', 'bytes=0-9,20-40000000']) {
  test(`a reader that leaves stops the read from the store: ${Range}`, async (context) => {
    const { server, line, large, fake } = context
    const answer = await ask(server, large, { Range })
    await once(answer, 'data')
    assert.ok(line.open > 0)
    answer.destroy()
    await eventually(
      () => line.open,
      (open) => open === 0,
      1_000,
    )
    const before = line.passed
    await sleep(200)
    assert.is(line.passed, before, 'no byte passes any more')
    assert.ok((fake.requests.at(-1)?.sent ?? 0) < 40 * MiB)
  })
}

test('a web reader that cancels stops the read, too', async ({ server, line, large }) => {
  const request = new Request(`http://carcosa.test${large.path}`)
  const { body } = await server.carcosa.fetch(request)
  const reader = body?.getReader()
  await reader?.read()
  assert.ok(line.open > 0)
  await reader?.cancel()
  await eventually(
    () => line.open,
    (open) => open === 0,
    1_000,
  )
})

test('a reader that leaves before the store has answered stops the read', async (context) => {
  const { server, line, large, fake } = context
  line.hold(true)
  const asking = get({ port: server.port, path: large.path, agent: false })
  asking.on('error', () => {})
  await eventually(
    () => fake.count('GetObject'),
    (count) => count === 1,
  )
  asking.destroy()
  await sleep(50)
  line.hold(false)
  await eventually(
    () => line.open,
    (open) => open === 0,
    1_500,
  )
})

test('a slow reader does not pull the object into memory', async (context) => {
  const { server, line, large } = context
  const before = line.passed
  const answer = await ask(server, large)
  answer.pause()
  await sleep(300)
  const ahead = line.passed - before
  assert.ok(ahead < 16 * MiB, `${ahead} bytes were read ahead`)
  const held = process.memoryUsage().arrayBuffers
  await sleep(200)
  assert.ok(process.memoryUsage().arrayBuffers - held < MiB)
  answer.destroy()
})

test('a reader that waits longer than the store goes on where it was', async (context) => {
  const { server, large, fake } = context
  const answer = await ask(server, large)
  const chunks: Buffer[] = []
  let taken = 0
  for await (const chunk of answer) {
    chunks.push(chunk)
    const before = taken
    taken += chunk.length
    if (before < 8 * MiB && taken >= 8 * MiB) await sleep(3_500)
  }
  assert.ok(Buffer.concat(chunks).equals(bytes))
  assert.is(fake.count('GetObject'), 2, 'the store hung up meanwhile')
})

test('a store that breaks off in the middle cuts the connection', async (context) => {
  const { server, line, large } = context
  const answer = await ask(server, large)
  await once(answer, 'data')
  line.cut()
  assert.is(await endOf(answer), 'cut')
})

test('a store that stalls in the middle cuts the connection', async (context) => {
  const { server, line, large } = context
  const answer = await ask(server, large)
  await once(answer, 'data')
  line.hold(true)
  assert.is(await endOf(answer), 'cut')
  line.hold(false)
})

const troubles: [what: string, inflict: (context: Context) => void, code: string][] = [
  ['has lost the object', ({ fake, small }) => lose(fake, small), 'STORAGE_CORRUPT'],
  [
    'has another object',
    ({ fake, small }) => {
      fake.putObject(keyOf(fake, small), 'something else')
    },
    'STORAGE_CORRUPT',
  ],
  [
    'refuses us',
    ({ fake }) => {
      fake.faults.accessDenied = true
    },
    'STORAGE_UNAVAILABLE',
  ],
  [
    'has no bucket',
    ({ fake }) => {
      fake.faults.bucketMissing = true
    },
    'STORAGE_UNAVAILABLE',
  ],
  [
    'is overrun',
    ({ fake }) => {
      fake.faults.slowDown = () => true
    },
    'STORAGE_UNAVAILABLE',
  ],
]
for (const [what, inflict, code] of troubles) {
  test(`of a store that ${what} readers learn ${code} and nothing else`, async (context) => {
    const { fake, server } = context
    const small = await serve(server, 'proxied', { bytes: 'hello', name, type })
    inflict({ ...context, small })
    try {
      for (const Range of [null, 'bytes=1-2', 'bytes=0-0,2-3']) {
        const headers = { Range }
        const asked = { method: 'GET', path: small.path, headers }
        const { status, json, text } = await server.doors.http(asked)
        assert.is(json().code, code)
        assert.is(status, code === 'STORAGE_CORRUPT' ? 500 : 503)
        const told = new RegExp(
          `${fake.bucket}|carcosa/|127\\.0\\.0|Access|Bucket|Slow|SDK|s3`,
        )
        assert.not.match(text, told)
      }
    } finally {
      Object.assign(fake.faults, {
        accessDenied: false,
        bucketMissing: false,
        slowDown: () => false,
      })
    }
  })
}

function keyOf({ objects }: S3Fake, { id }: Served): string {
  const key = [...objects.keys()].find((candidate) => candidate.includes(id))
  if (!key) throw new Error(`there is no object of ${id}`)
  return key
}

function lose(fake: S3Fake, file: Served): void {
  fake.deleteObject(keyOf(fake, file))
}

function operations({ requests }: S3Fake): string[] {
  return requests.map(({ operation }) => operation)
}

async function ask(
  { port }: TestServer,
  { path }: Served,
  headers: Record<string, string> = {},
): Promise<IncomingMessage> {
  const asking = get({ port, path, headers, agent: false })
  // What comes after the answer is told by the answer.
  asking.on('error', () => {})
  const [answer] = await once(asking, 'response')
  return answer
}

async function endOf(answer: IncomingMessage): Promise<'cut' | 'whole'> {
  answer.resume()
  return new Promise((resolve) => {
    answer.on('error', () => {})
    answer.on('close', () => resolve(answer.complete ? 'whole' : 'cut'))
  })
}

test.run()
