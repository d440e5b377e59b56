/** A new version is rolled out, twice, while clients upload: nobody notices. */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as tus from 'tus-js-client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openDatabase } from '../../src/db/open.ts'
import { directory, type RunningServer, startServer } from '../support/command.ts'
import { type Balancer, type Node, startBalancer } from '../support/deploy/balancer.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { requires } from '../support/requirements.ts'
import { type S3Server, s3Server } from '../support/s3-server.ts'

const uploads = 50
const size = 3 * 1024 * 1024 + 17
const bytesPerSecond = 150_000
/** Between the beginning of two uploads, in ms: some begin while nodes stop. */
const everyMs = 300

const test = requires('versitygw', suite('a rolling deploy'))

test(`of two nodes, twice, under ${uploads} uploads: no client sees an error`, async () => {
  const database = await postgres()
  const s3 = await s3Server()
  const balancer = await startBalancer({ bytesPerSecond })
  const cwd = directory()
  writeFileSync(join(cwd, 'carcosa.config.ts'), configSource(cwd))
  const start = () => startNode({ cwd, database, s3, balancer })
  const nodes = [await start(), await start()]
  try {
    let rolledOut = false
    const sent = Promise.all(
      Array.from({ length: uploads }, async (_, i) => {
        await sleep(i * everyMs)
        return await send(balancer)
      }),
    ).then((all) => {
      assert.ok(rolledOut, 'the uploads were over before the deploy was')
      return all
    })
    await Promise.race([sent, sleep(3_000)])
    for (let round = 0; round < 2; round++) {
      for (const [i, node] of nodes.entries()) {
        const began = Date.now()
        const { code, err } = await node.server.stop()
        const took = Date.now() - began
        node.member.remove()
        assert.is(code, 0, err)
        assert.ok(took < 500 + 4_000 + 500, `it took ${took} ms to stop`)
        nodes[i] = await start()
      }
    }
    rolledOut = true
    const files = await sent
    report(balancer, files)

    const begunAgain = files.filter(({ creations }) => creations !== 1)
    assert.equal(begunAgain, [], 'no client started over')
    for (const { url, hash } of files) {
      const status = await (await fetch(`${url}?wait=30`)).json()
      assert.is(status.state, 'ready', JSON.stringify(status))
      const file = await fetch(new URL(status.url, balancer.url))
      assert.is(digest(Buffer.from(await file.arrayBuffer())), hash)
    }
    await assertCompletedOnce({ cwd, database })
  } finally {
    for (const { server } of nodes) await server.stop()
    await balancer.close()
    await s3.stop()
    await database.drop()
  }
})

test.run()

interface Place {
  cwd: string
  database: TestDatabase
  s3: S3Server
  balancer: Balancer
}

/** The callback leaves a line for each file it is run for. */
function configSource(cwd: string): string {
  const root = join(import.meta.dirname, '../..')
  return `
    import { appendFileSync } from 'node:fs'
    import { createRouter, defineConfig, route } from '${root}/src/index.ts'
    export default defineConfig({
      router: createRouter({
        demo: route({ blob: { maxFileSize: '16MB', acl: 'public-read' } })
          .public()
          .onUploadComplete(({ file }) => {
            appendFileSync('${cwd}/completed', file.id + '\\n')
            return null
          }),
      }),
    })`
}

async function startNode(place: Place): Promise<{ server: RunningServer; member: Node }> {
  const { cwd, database, s3, balancer } = place
  const { bucket, prefix, region, endpoint, credentials } = s3
  const store = `s3://${bucket}/${prefix}?${new URLSearchParams({ region, endpoint, pathStyle: 'true' })}`
  const server = await startServer(
    [
      ...['--database', database.url, '--store', store],
      ...['--drain-delay', '500ms', '--shutdown-timeout', '4s'],
    ],
    {
      cwd,
      env: {
        ...(credentials && {
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        }),
      },
    },
  )
  const member = balancer.add(server.url)
  while (!member.inRotation) await sleep(20)
  return { server, member }
}

interface Sent {
  url: string
  hash: string
  /** POSTs that were answered with 201. */
  creations: number
  /** Answers that were errors, hidden by the client's own retry, by status; 0: none came. */
  hidden: number[]
}

/** One upload by tus-js-client as it is, but for shorter delays. Throws what its user is told. */
async function send(balancer: Balancer): Promise<Sent> {
  const bytes = randomBytes(size)
  let creations = 0
  const hidden: number[] = []
  const url = await new Promise<string>((resolve, reject) => {
    const upload = new tus.Upload(bytes, {
      endpoint: `${balancer.url}/uploads/demo`,
      retryDelays: [0, 200, 500, 1_000],
      metadata: { filename: 'x.bin' },
      onAfterResponse(asked, answer) {
        const status = answer.getStatus()
        if (status === 201 && asked.getMethod() === 'POST') creations++
        if (status >= 400) hidden.push(status)
      },
      onError: reject,
      onSuccess: () => resolve(upload.url ?? ''),
    })
    upload.start()
  })
  return { url, hash: digest(bytes), creations, hidden }
}

async function assertCompletedOnce({ cwd, database }: Pick<Place, 'cwd' | 'database'>) {
  const path = join(cwd, 'completed')
  const completed = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
  assert.is(completed.length, uploads)
  assert.is(new Set(completed).size, uploads)
  const db = await openDatabase(database.url)
  const { rows } = await db.executeSql(
    `SELECT state::text, count(*)::int AS files,
       (SELECT count(*)::int FROM carcosa.event WHERE type = 'file.ready') AS ready
     FROM carcosa.file GROUP BY 1`,
  )
  await db.close()
  assert.equal(rows, [{ state: 'ready', files: uploads, ready: uploads }])
}

function report(balancer: Balancer, files: Sent[]): void {
  const hidden = files.flatMap(({ hidden }) => hidden)
  console.log(
    `  ${[...balancer.answers].map(([what, times]) => `${what}: ${times}`).join(', ')}; ` +
      `connections broken under a request: ${balancer.broken}; errors hidden by retries: ${hidden.length}`,
  )
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
