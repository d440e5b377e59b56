/** P1, P2, P5, P7: clients that stall or vanish, a full disk, and a fight over one upload. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { ClientRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { content } from '../support/chaos/content.ts'
import { type ChaosServer, runServer } from '../support/chaos/run-server.ts'
import * as tus from '../support/chaos/tus.ts'
import { postgres } from '../support/postgres.ts'
import { type Part, requires } from '../support/requirements.ts'

const MiB = 1024 ** 2
const trouble = requires('postgres', suite('an upload in trouble'))
let server: ChaosServer
let dataDir: string

trouble.before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'carcosa-trouble-'))
  const { url: database } = await postgres()
  server = await runServer({ dataDir, database })
})

trouble.after(async () => {
  await server.stop()
  await rm(dataDir, { recursive: true })
})

trouble(
  'a client that stalls after 1 MiB: all of it is stored and told within a second',
  async () => {
    const { url } = await begin(8 * MiB)
    const { stop } = await stall(url, MiB)
    await sleep(1_000)
    assert.is((await stat(objectOf(url))).size, MiB)
    assert.is((await status(url)).offset, MiB)
    const asked = performance.now()
    assert.is(await tus.offsetOf(url), MiB)
    assert.ok(performance.now() - asked < 1_000, 'HEAD ends the stalled request at once')
    await stop()
  },
)

trouble('a client that vanishes after 1 MiB: all of it is in the offset', async () => {
  const { url } = await begin(8 * MiB)
  const { stop } = await stall(url, MiB)
  await sleep(300)
  await stop()
  await sleep(500)
  assert.is((await status(url)).offset, MiB)
  assert.is(await tus.offsetOf(url), MiB)
})

trouble(
  '200 uploads at once, 20 clients on one of them: no byte is mixed up',
  async () => {
    const files = Array.from({ length: 180 }, (_, i) => content(200_000 + i, i + 1))
    const contested = content(5_000_000, 999)
    const { url } = await begin(contested.size)
    const fighters = Array.from({ length: 20 }, () => fight(url, contested))
    const others = files.map(async (file) => {
      const one = await begin(file.size)
      const body = file.from(0, 20_000)
      const { status } = await tus.patch(one.url, { offset: 0, body, length: file.size })
      assert.is(status, 204)
      assert.is(await digestOf(objectOf(one.url)), file.sha256)
    })
    const refusals = (await Promise.all(fighters)).flat()
    await Promise.all(others)
    assert.is(await digestOf(objectOf(url)), contested.sha256)
    assert.equal(
      [...new Set(refusals)].filter((code) => code !== 409 && code !== 423),
      [],
    )
    assert.ok(refusals.length > 0, 'nobody was refused: there was no fight')
  },
)

const proc: Part = {
  name: '/proc',
  find: () => (existsSync('/proc/self/stat') ? '/proc' : null),
  hint: 'run on Linux',
}
const measured = requires(proc, trouble)

measured('waiting for an upload costs no CPU', async () => {
  const { url } = await begin(8 * MiB)
  const { stop } = await stall(url, MiB)
  const waiters = Array.from({ length: 20 }, () =>
    tus.patch(url, { offset: 5, body: Buffer.of(1) }),
  )
  // The holder gives way after a second without a byte; until then everyone sleeps.
  const before = await cpuSeconds(server)
  await sleep(700)
  const used = (await cpuSeconds(server)) - before
  assert.ok(used < 0.2, `${used} CPU seconds in 0.7 s of waiting`)
  for (const { status } of await Promise.all(waiters)) assert.is(status, 409)
  await stop()
})

trouble.run()

const full = requires('tmpfs', suite('a full disk'))

full(
  'is a 507 that keeps what fits, and the upload goes on when there is room',
  async () => {
    const mount = await mkdtemp(join(tmpdir(), 'carcosa-full-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', mount])
    const { url: database } = await postgres()
    const small = await runServer({ dataDir: mount, database })
    try {
      await writeFile(join(mount, 'filler'), Buffer.alloc(8 * MiB))
      const file = content(10 * MiB, 7)
      const { headers } = await tus.create(small.url, 'plain', file.size)
      const url = small.url + headers.location
      const refused = await tus.patch(url, {
        offset: 0,
        body: file.from(0),
        length: file.size,
      })
      assert.is(refused.status, 507)
      assert.is(JSON.parse(refused.body).code, 'STORAGE_FULL')

      const offset = await tus.offsetOf(url)
      assert.ok(offset > 0 && offset < file.size, `offset ${offset}`)
      await rm(join(mount, 'filler'))
      const length = file.size - offset
      const { status } = await tus.patch(url, { offset, body: file.from(offset), length })
      assert.is(status, 204)
      const id = url.split('/').at(-1) ?? ''
      assert.is(await digestOf(join(mount, 'files', id.slice(0, 1), id)), file.sha256)
    } finally {
      await small.stop()
      execFileSync('umount', [mount])
      await rm(mount, { recursive: true })
    }
  },
)

full.run()

async function begin(size: number): Promise<{ url: string }> {
  const { headers } = await tus.create(server.url, 'plain', size)
  return { url: server.url + headers.location }
}

/** Sends `bytes` of an upload in a request that promises all of it, then nothing. */
async function stall(url: string, bytes: number): Promise<{ stop(): Promise<void> }> {
  const body = new Readable({ read() {} })
  body.push(Buffer.alloc(bytes, 1))
  const { promise: sent, resolve } = Promise.withResolvers<ClientRequest>()
  const answer = tus
    .patch(url, { offset: 0, body, length: 8 * MiB, onRequest: resolve })
    .catch(() => null)
  const request = await sent
  await sleep(200)
  return {
    async stop() {
      request.destroy()
      await answer
    },
  }
}

/** Uploads like a client that does not know it is not alone. Returns every refusal it met. */
async function fight(url: string, file: ReturnType<typeof content>): Promise<number[]> {
  const refusals: number[] = []
  for (let tries = 0; tries < 200; tries++) {
    const head = await tus.head(url)
    if (head.status !== 200) {
      refusals.push(head.status)
      await sleep(20)
      continue
    }
    const offset = Number(head.headers['upload-offset'])
    if (offset === file.size) return refusals
    const length = file.size - offset
    const body = file.from(offset, 50_000)
    const answer = await tus.patch(url, { offset, body, length }).catch(() => null)
    if (answer && answer.status !== 204) refusals.push(answer.status)
  }
  throw new Error('the upload never ended')
}

async function status(url: string): Promise<{ offset: number }> {
  return (await fetch(url)).json()
}

function objectOf(url: string): string {
  const id = url.split('/').at(-1) ?? ''
  return join(dataDir, 'files', id.slice(0, 1), id)
}

async function digestOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

/** User and system time of the server process, from /proc: clock ticks are 10 ms on Linux. */
async function cpuSeconds({ process }: ChaosServer): Promise<number> {
  const fields = (await readFile(`/proc/${process.pid}/stat`, 'utf8'))
    .split(') ')[1]
    ?.split(' ')
  return (Number(fields?.[11]) + Number(fields?.[12])) / 100
}
