import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type ClientOptions,
  createClient,
  type Upload,
  type UploadEvent,
} from '../../client/index.ts'
import { createCarcosa, createRouter, route } from '../../src/index.ts'
import { s3 } from '../../stores/s3.ts'
import { randomBytesFrom } from './byte-source.ts'
import { seededRandom } from './random.ts'
import { type S3Fake, startS3Fake } from './s3-fake.ts'
import { type S3Front, startS3Front } from './s3-front.ts'
import { listen } from './server.ts'

const MiB = 1024 * 1024
/** Of each part but the last. */
export const partSize = 5 * MiB
/** Five parts. */
export const content = randomBytesFrom(seededRandom(11), 23 * MiB)
/** One part. */
export const small = content.subarray(0, 1000)

const blob = { blob: { maxFileSize: '1GB', maxFileCount: 20 } } as const

/** Only `demo` and `image` let bytes go to the store. */
const router = createRouter({
  demo: route(blob)
    .public()
    .direct()
    .onUploadComplete(({ file }) => ({ got: file.size })),
  image: route({ image: { maxFileSize: '1GB' } })
    .public()
    .direct(),
  ordinary: route(blob).public(),
})

/** What passed the server. */
export interface Passed {
  /** Methods and the last parts of the paths. */
  readonly requests: string[]
  /** Bytes of bodies that are no JSON. */
  bytes: number
  /** So many answers to `POST …/finish` are lost. Counts down. */
  loseFinishes: number
}

export interface DirectContext {
  readonly directory: string
  readonly fake: S3Fake
  readonly front: S3Front
  readonly passed: Passed
  readonly url: string
}

/** A suite with a Carcosa on an S3 that clients reach through a front. */
export function directSuite(title: string) {
  const passed: Passed = { requests: [], bytes: 0, loseFinishes: 0 }
  const context = { passed } as { -readonly [K in keyof DirectContext]: DirectContext[K] }
  let stop = async () => {}
  const test = suite<DirectContext>(title, context)
  test.before(async () => {
    context.directory = await mkdtemp(join(tmpdir(), 'carcosa-client-direct-'))
    context.fake = await startS3Fake()
    context.front = await startS3Front(context.fake.endpoint)
    const server = await startServer(context)
    context.url = server.url
    stop = server.stop
  })
  test.before.each(({ fake, front }) => {
    fake.reset()
    front.reset()
    Object.assign(passed, { requests: [], bytes: 0, loseFinishes: 0 })
  })
  test.after(async ({ directory, fake, front }) => {
    await stop()
    await front.close()
    await fake.close()
    await rm(directory, { recursive: true, force: true })
  })
  return test
}

async function startServer({ directory, fake, front, passed }: DirectContext) {
  const carcosa = await createCarcosa({
    router,
    database: 'memory://',
    dataDir: directory,
    basePath: '/media',
    store: s3({
      bucket: fake.bucket,
      endpoint: fake.endpoint,
      publicEndpoint: front.endpoint,
      forcePathStyle: true,
      partSize,
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    }),
  })
  const http = createServer((request, response) => {
    const { method, headers, url = '' } = request
    const name = `${method} ${url.replace(/.*\//, '')}`
    passed.requests.push(name)
    const isJson = headers['content-type'] === 'application/json'
    if (!isJson) passed.bytes += Number(headers['content-length'] ?? 0)
    if (name === 'POST finish' && passed.loseFinishes-- > 0) {
      response.writeHead = () => {
        request.socket.destroy()
        return response
      }
    }
    carcosa.handler(request, response)
  })
  const url = `http://127.0.0.1:${await listen(http)}/media`
  async function stop() {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
    await carcosa.close()
  }
  return { url, stop }
}

/** A client that uploads directly and does not make a test wait. */
export function directClient(
  { url }: Pick<DirectContext, 'url'>,
  options: Partial<ClientOptions> = {},
) {
  const retry = { attempts: 6, minDelay: 5, maxDelay: 20, ...options.retry }
  return createClient<typeof router>({ url, direct: true, ...options, retry })
}

/** A file of `bytes` that is the same file each time it is made. */
export function fileOf(bytes: Buffer = content, name = 'a.bin'): File {
  return new File([new Uint8Array(bytes)], name, { lastModified: 1 })
}

/** An upload that runs, of which the first two parts, and no more, are in the store. */
export async function interruptedDirectly(
  context: DirectContext,
  options: Partial<ClientOptions> = {},
) {
  const { front } = context
  const client = directClient(context, options)
  front.fault = ({ partNumber }) => (partNumber > 2 ? { stall: true } : undefined)
  const upload = client.create('demo', [fileOf()])
  const arrived = async () => {
    const [entry] = await client.unfinished()
    return entry?.direct?.parts.filter(({ receipt }) => receipt).length ?? 0
  }
  while (front.seen.length < 5 || (await arrived()) < 2) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  front.reset()
  return { client, upload }
}

/** Collects what is told of an upload. */
export function watch<ServerData>(upload: Upload<ServerData>) {
  const events: UploadEvent<ServerData>[] = []
  upload.subscribe((event) => events.push(event))
  return {
    count: (type: UploadEvent['type']) =>
      events.filter((event) => event.type === type).length,
    warnings: () =>
      events.flatMap((event) => (event.type === 'warning' ? [event.error] : [])),
    resumes: () =>
      events.flatMap((event) => (event.type === 'resume' ? [event.offset] : [])),
  }
}

export function assertHolds({ fake }: DirectContext, bytes: Buffer = content) {
  const [object] = [...fake.objects.values()]
  assert.is(fake.objects.size, 1)
  assert.ok(object?.bytes.equals(bytes), 'the store has what was sent')
}

export function assertPastServer({ passed }: DirectContext) {
  assert.is(passed.bytes, 0)
  assert.not.ok(passed.requests.some((name) => /^(PATCH|HEAD)/.test(name)))
}

/** The parts that clients sent to the store. */
export function partsSent({ front }: DirectContext): number[] {
  return front.seen.map(({ partNumber }) => partNumber).sort()
}
