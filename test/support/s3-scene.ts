import { randomBytes } from 'node:crypto'
import * as assert from 'uvu/assert'
import { route } from '../../src/routes/route.ts'
import { createRouter } from '../../src/routes/router.ts'
import { s3 } from '../../stores/s3.ts'
import {
  createStaging,
  type Staging,
  type StagingOptions,
} from '../../stores/writing/staging.ts'
import type { Answered } from './exchange.ts'
import { begin, statusOf, type Upload } from './lifecycle.ts'
import { type Line, startLine } from './line.ts'
import { postgres } from './postgres.ts'
import { offsetOf, patch } from './records.ts'
import { type S3Fake, startS3Fake } from './s3-fake.ts'
import { startServer, type TestServer } from './server.ts'

/** A Carcosa on a fake of S3 that can go wrong, and clients that look at every answer. */

const MiB = 1024 ** 2

/** What tests upload. In parts of 5 MiB it has three, the last one small. */
export const file = randomBytes(12 * MiB)

/** Its bytes from `offset` on, to be sent. */
export const rest = (offset: number) => ({ offset, body: file.subarray(offset) })

const secrets = {
  bucket: 'bucket-that-nobody-knows',
  prefix: 'prefix-that-nobody-knows/',
  accessKeyId: 'KEYTHATNOBODYKNOWS',
  secretAccessKey: 'secret-that-nobody-knows',
}

export interface Scene {
  readonly fake: S3Fake
  /** Between the server and the fake. */
  readonly line: Line
  readonly server: SceneServer
  /** Another server on the same fake. */
  start(options?: SceneOptions): Promise<SceneServer>
  /** The key of an upload in the fake. */
  keyOf(upload: Upload): string
  ask(method: string, path: string): Promise<Answered>
  /** Sends the bytes from `offset` on: by default the rest of the file. */
  send(upload: Upload, offset: number, body?: Buffer | string): Promise<Answered>
  /** An upload of which the first `bytes` are acknowledged. */
  begun(bytes: number): Promise<Upload>
  uploadWhole(): Promise<Upload>
  offset(upload: Upload): Promise<number>
  /** Parts and staged bytes that are remembered of an upload. */
  pieces(upload: Upload): Promise<number>
  /** The upload is done, the file is the file, and there is nothing else. */
  expectFinished(upload: Upload): Promise<void>
  /** The upload has failed, honestly, and nothing is left of it. */
  expectGone(answer: Answered, upload: Upload): Promise<void>
  close(): Promise<void>
}

export interface SceneServer extends TestServer {
  /** URL of its database. */
  readonly database: string
  readonly staging: Staging
}

export interface SceneOptions {
  /** How often the store is asked. Default as by default. */
  maxAttempts?: number
  /** Default 64 MiB of memory. */
  staging?: StagingOptions
  /** Default: an empty one. */
  database?: string
}

export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const fake = await startS3Fake({ bucket: secrets.bucket })
  const line = await startLine(fake.endpoint)
  const start = (more: SceneOptions = {}) => startOn(line.endpoint, more)
  const server = await start(options)
  const exchange = server.doors.http
  const keyOf = ({ id }: Upload) => secrets.prefix + id
  const looked = async (answer: Promise<Answered>) => {
    expectDiscreet(await answer, [fake.endpoint, line.endpoint])
    return answer
  }

  const scene: Scene = {
    fake,
    line,
    server,
    start,
    keyOf,
    ask: (method, path) => looked(exchange({ method, path })),
    send: ({ url }, offset, body = file.subarray(offset)) =>
      looked(patch(exchange, url, { offset, body })),
    offset: ({ url }) => offsetOf(exchange, url),

    async begun(bytes) {
      const upload = await begin(server, 'demo', { length: file.length })
      if (bytes === 0) return upload
      const sent = await scene.send(upload, 0, file.subarray(0, bytes))
      assert.is(sent.status, 204, sent.text)
      assert.is(await scene.offset(upload), bytes)
      return upload
    },

    async uploadWhole() {
      const upload = await scene.begun(0)
      const sent = await scene.send(upload, 0)
      assert.is(sent.status, 204, sent.text)
      await scene.expectFinished(upload)
      return upload
    },

    async pieces({ id: fileId }) {
      const { uploadPart, stagedBytes } = server.uploads.db.prisma
      const where = { where: { fileId } }
      return (await uploadPart.count(where)) + (await stagedBytes.count(where))
    },

    async expectFinished(upload) {
      assert.is((await statusOf(server, upload)).state, 'ready')
      const path = `/files/${upload.id}`
      const { status, bytes } = await exchange({ method: 'GET', path })
      assert.is(status, 200)
      assert.ok(bytes.equals(file))
      assert.is(await scene.pieces(upload), 0)
      assert.equal([...fake.objects.keys()], [keyOf(upload)])
    },

    async expectGone(answer, upload) {
      assert.is(answer.status, 410, answer.text)
      const { code, details } = answer.json()
      assert.is(code, 'UPLOAD_GONE')
      assert.equal(details, { reason: 'failed' })
      assert.is((await scene.ask('HEAD', upload.url)).status, 410)
      const { state, failure } = await statusOf(server, upload)
      assert.is(state, 'failed')
      assert.is(failure?.code, 'STORAGE_CORRUPT')
      assert.is(await scene.pieces(upload), 0)
      assert.is(fake.uploads.size, 0)
    },

    async close() {
      await server.close()
      await line.close()
      await fake.close()
    },
  }
  return scene
}

/** The store cannot be asked just now, and the answer says when to come back. */
export function expectUnavailable(answer: Answered, retryAfter?: number): void {
  assert.is(answer.status, 503, answer.text)
  assert.is(answer.json().code, 'STORAGE_UNAVAILABLE')
  const said = Number(answer.headers['retry-after'])
  if (retryAfter === undefined) assert.ok(said > 0)
  else assert.is(said, retryAfter)
}

/** No client ever sees who keeps the bytes, or where (SEC-34, S17). */
function expectDiscreet(answer: Answered, endpoints: readonly string[]): void {
  const said = JSON.stringify([answer.headers, answer.text.slice(0, 10_000)])
  for (const secret of Object.values(secrets)) assert.not.match(said, secret)
  for (const endpoint of endpoints) assert.not.match(said, new URL(endpoint).host)
  if (answer.status < 400 || answer.text === '') return
  const { title, detail } = answer.json()
  const text = `${title} ${detail}`
  assert.not.match(text, /amazon|\baws|\bs3\b|NoSuch|ECONN|told to fail|hang up/i)
}

async function startOn(endpoint: string, options: SceneOptions): Promise<SceneServer> {
  const { staging = { memory: 64 * MiB, disk: 0 }, database, maxAttempts } = options
  const { bucket, prefix, ...credentials } = secrets
  const store = s3({
    ...{ bucket, prefix, credentials, endpoint },
    partSize: 5 * MiB,
    forcePathStyle: true,
    ...(maxAttempts && { client: { maxAttempts } }),
  })
  const room = createStaging(staging)
  const own = database ? null : await postgres()
  const url = database ?? own?.url ?? ''
  const blob = { maxFileSize: 64 * MiB, acl: 'public-read' } as const
  const started = await startServer({
    router: createRouter({ demo: route({ blob }).public() }),
    database: url,
    // Less room than a configuration may give.
    store: { ...store, start: () => store.start({ staging: room }) },
  })
  return {
    ...started,
    database: url,
    staging: room,
    async close() {
      await started.close()
      await own?.drop()
    },
  }
}
