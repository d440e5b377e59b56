import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { creations, methods } from '../support/client.ts'
import { type Command, command, startServer } from '../support/command.ts'
import {
  type ReferenceServer,
  startReferenceServer,
} from '../support/reference-server.ts'

interface Context {
  directory: string
  server: ReferenceServer
}

const content = randomBytes(20 * 1024 * 1024 + 7)
const sha256 = createHash('sha256').update(content).digest('hex')
const context = {} as Context
const test = suite<Context>('carcosa upload', context)

test.before.each(async () => {
  context.directory = await mkdtemp(join(tmpdir(), 'carcosa-cli-'))
  context.server = await startReferenceServer(join(context.directory, 'server'))
  context.server.outcome = () => ({ state: 'ready', serverData: null, sha256 })
  await writeFile(join(context.directory, 'a.bin'), content)
})
test.after.each(async ({ server, directory }) => {
  await server.kill()
  await rm(directory, { recursive: true, force: true })
})

/** `carcosa upload …` in the directory of the test, which is also where it remembers. */
function upload({ server, directory }: Context, ...args: string[]): Command {
  const to = ['--route', 'demo', '--to', server.url]
  const env = { XDG_CACHE_HOME: join(directory, 'cache') }
  return command(['upload', ...args, ...to], { cwd: directory, env })
}

/** Stops with Ctrl-C once the server holds a part of the file and no more comes. */
async function paused(at: Context, ...args: string[]) {
  const { server } = at
  server.fault = ({ method }) => {
    if (method === 'HEAD') return { stall: true }
    return method === 'PATCH' ? { cutAfter: 8 * 1024 * 1024 } : undefined
  }
  const first = upload(at, 'a.bin', ...args)
  while (!methods(server).includes('HEAD')) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  first.child.kill('SIGINT')
  const outcome = await first.ended
  server.fault = () => undefined
  server.seen.length = 0
  return outcome
}

test('prints the link, and says that the digest is equal', async (at) => {
  const { code, out, err } = await upload(at, 'a.bin').ended
  assert.is(code, 0, err)
  assert.match(out, /^http:\/\/127\.0\.0\.1:\d+\/media\/files\/[\w-]+\n$/)
  assert.ok(err.includes(`SHA-256 ${sha256} is equal`))
  const id = out.trim().split('/').pop() ?? ''
  assert.ok((await at.server.bytes(id)).equals(content))
})

test('--json prints one line for each file', async (at) => {
  await writeFile(join(at.directory, 'b.bin'), content)
  const refused = { code: 'FILE_TOO_LARGE', status: 413, detail: 'Too large.' }
  at.server.refuse = ({ name }) => (name === 'b.bin' ? refused : null)
  const { code, out } = await upload(at, 'a.bin', 'b.bin', '--json').ended
  assert.is(code, 1, 'one of them failed')
  const [first, second] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.is(first.status, 'uploaded')
  assert.is(first.verified, true)
  assert.is(first.sha256, sha256)
  assert.is(second.status, 'failed')
  assert.is(second.code, 'FILE_TOO_LARGE')
})

test('a digest that differs is a failure', async (at) => {
  at.server.outcome = () => ({ state: 'ready', serverData: null, sha256: 'ab' })
  const { code, out, err } = await upload(at, 'a.bin').ended
  assert.is(code, 1)
  assert.is(out, '', 'no link to a damaged file')
  assert.match(err, 'DAMAGED')
})

test('Ctrl-C pauses, and the same command goes on from there', async (at) => {
  const { code, err } = await paused(at)
  assert.is(code, 130)
  assert.match(err, `carcosa upload a.bin --route demo --to ${at.server.url}`)

  const second = await upload(at, 'a.bin').ended
  assert.is(second.code, 0, second.err)
  assert.match(second.err, 'going on from')
  assert.is(creations(at.server), 0)
  const id = second.out.trim().split('/').pop() ?? ''
  assert.ok((await at.server.bytes(id)).equals(content))

  const third = await upload(at, 'a.bin').ended
  assert.is(third.code, 0)
  assert.is(creations(at.server), 1, 'what is done is not gone on with')
})

test('a file that was touched, and --no-resume, begin anew', async (at) => {
  await paused(at)
  await utimes(join(at.directory, 'a.bin'), 1, 1)
  assert.is((await upload(at, 'a.bin').ended).code, 0)
  assert.is(creations(at.server), 1)
  await paused(at)
  assert.is((await upload(at, 'a.bin', '--no-resume').ended).code, 0)
  assert.is(creations(at.server), 1)
})

test('a server that is killed and comes back is waited for, and it says so', async (at) => {
  const { server } = at
  let killed = false
  server.fault = ({ method }) => {
    if (method !== 'PATCH' || killed) return undefined
    killed = true
    setTimeout(() => {
      void server.kill().then(() => setTimeout(() => server.restart(), 700))
    }, 5)
    return { cutAfter: 10 * 1024 * 1024 }
  }
  const { code, out, err } = await upload(at, 'a.bin').ended
  assert.is(code, 0, err)
  assert.match(err, 'Trying again in')
  const id = out.trim().split('/').pop() ?? ''
  assert.ok((await server.bytes(id)).equals(content))
  assert.is(creations(server), 1)
})

test('headers and input are sent', async (at) => {
  const { code } = await upload(
    at,
    'a.bin',
    '--header',
    'Authorization: Bearer a:b',
    '--header',
    'X-Two: 2',
    '--input',
    '{"album":"1"}',
  ).ended
  assert.is(code, 0)
  for (const { headers } of at.server.seen) {
    assert.is(headers.authorization, 'Bearer a:b')
    assert.is(headers['x-two'], '2')
  }
})

test('a file that is not there stops everything before it begins', async (at) => {
  const { code, err } = await upload(at, 'a.bin', 'nothing.bin', 'server').ended
  assert.is(code, 1)
  assert.match(err, 'There is no file "nothing.bin".')
  assert.match(err, '/server" is not a file')
  assert.is(at.server.seen.length, 0)
})

test('against `carcosa start`: killed in the middle, started again, equal', async (at) => {
  const data = join(at.directory, 'data')
  const big = randomBytes(192 * 1024 * 1024)
  await writeFile(join(at.directory, 'big.bin'), big)
  const first = await startServer(['--data-dir', data])
  const { port } = new URL(first.url)
  const to = ['--route', 'demo', '--to', first.url]
  const sending = command(['upload', 'big.bin', ...to], { cwd: at.directory })
  await sending.printed(/big\.bin: [1-8]0 %/)
  first.child.kill('SIGKILL')
  await first.ended
  const second = await startServer(['--data-dir', data, '--port', port])
  const { code, out, err } = await sending.ended
  assert.is(code, 0, err)
  assert.match(err, /going on from [1-9]/)
  assert.match(err, 'is equal')
  const range = await fetch(out.trim(), { headers: { range: 'bytes=100-199' } })
  assert.is(range.status, 206)
  assert.equal(Buffer.from(await range.arrayBuffer()), big.subarray(100, 200))
  await second.stop()
})

test.run()
