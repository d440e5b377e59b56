import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Clients } from '../fixtures/tus-clients/clients.ts'
import { openBrowser } from '../support/browser.ts'
import { type RunningServer, startServer } from '../support/command.ts'
import { requires } from '../support/requirements.ts'
import { type Site, serveTusClients } from '../support/tus-clients.ts'

interface Context {
  directory: string
  site: Site
  server: RunningServer
  browser: Browser
  profile: BrowserContext
  page: Page
  /** Methods of the requests to the upload route, without preflights. */
  sent: string[]
}

/** What the page has. */
declare const clients: Clients
/** Made in the page before each test: 5 MiB that differ everywhere. */
declare const content: File

const MiB = 1024 * 1024
const size = 5 * MiB + 7

const test = requires('chromium', suite<Context>('other clients in a browser'))

test.before(async (context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'carcosa-clients-'))
  context.site = await serveTusClients(context.directory)
  context.server = await startServer()
  context.browser = await openBrowser()
})

test.before.each(async (context) => {
  context.profile = await context.browser.newContext()
  const page = await context.profile.newPage()
  const sent: string[] = []
  page.setDefaultTimeout(20_000)
  page.on('request', (request) => {
    if (request.url().includes('/uploads/')) sent.push(request.method())
  })
  await page.goto(context.site.url)
  await page.evaluate((size) => {
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31) ^ (i >>> 9))
    const file = new File([bytes], 'a.bin', { type: 'application/octet-stream' })
    Object.assign(globalThis, { content: file })
  }, size)
  Object.assign(context, { page, sent })
})

test.after.each(async ({ profile }) => {
  await profile.close()
})

test.after(async ({ server, site, browser, directory }) => {
  await browser.close()
  await server.stop()
  await site.close()
  rmSync(directory, { recursive: true, force: true })
})

test('tus-js-client uploads, in one request and in chunks', async (context) => {
  const { page, server, sent } = context
  for (const chunkSize of [Number.MAX_SAFE_INTEGER, 2 * MiB]) {
    const url = await page.evaluate(uploadWithTus, {
      endpoint: endpoint(server),
      chunkSize,
    })
    await assertServed(server, url)
  }
  assert.equal(sent, ['POST', 'PATCH', 'POST', 'PATCH', 'PATCH', 'PATCH'])
})

test('tus-js-client sends content along with the creation', async (context) => {
  const { page, server, sent } = context
  const url = await page.evaluate(uploadWithTus, {
    endpoint: endpoint(server),
    uploadDataDuringCreation: true,
  })
  await assertServed(server, url)
  assert.equal(sent, ['POST'])
})

test('tus-js-client uploads a stream of a length it does not know yet', async (context) => {
  const { page, server } = context
  const url = await page.evaluate(
    (endpoint) =>
      new Promise<string | null>((resolve, reject) => {
        const reader = content.stream().getReader()
        const upload = new clients.tus.Upload(reader, {
          endpoint,
          uploadLengthDeferred: true,
          chunkSize: 1024 * 1024,
          onSuccess: () => resolve(upload.url),
          onError: reject,
        })
        upload.start()
      }),
    endpoint(server),
  )
  await assertServed(server, url)
})

test('tus-js-client pauses, finds the upload again after a reload, and goes on', async (context) => {
  const { page, server, sent } = context
  const offset = await page.evaluate(
    (endpoint) =>
      new Promise<number>((resolve, reject) => {
        const upload = new clients.tus.Upload(content, {
          endpoint,
          chunkSize: 1024 * 1024,
          fingerprint: async () => 'the file',
          onError: reject,
          onChunkComplete: (_size, accepted) =>
            upload.abort().then(() => resolve(accepted)),
        })
        upload.start()
      }),
    endpoint(server),
  )
  assert.ok(offset >= MiB && offset < size)
  const before = sent.length
  const url = await page.evaluate(
    (endpoint) =>
      new Promise<string | null>((resolve, reject) => {
        const upload = new clients.tus.Upload(content, {
          endpoint,
          fingerprint: async () => 'the file',
          onSuccess: () => resolve(upload.url),
          onError: reject,
        })
        void upload.findPreviousUploads().then(([previous]) => {
          if (!previous) return reject(new Error('nothing to go on with'))
          upload.resumeFromPreviousUpload(previous)
          upload.start()
        })
      }),
    endpoint(server),
  )
  await assertServed(server, url)
  assert.equal(sent.slice(before), ['HEAD', 'PATCH'])
})

test('tus-js-client terminates', async (context) => {
  const { page, server } = context
  const url = await page.evaluate(
    (endpoint) =>
      new Promise<string | null>((resolve, reject) => {
        const upload = new clients.tus.Upload(content, {
          endpoint,
          chunkSize: 1024 * 1024,
          onError: reject,
          onChunkComplete: () => {
            upload.abort(true).then(() => resolve(upload.url), reject)
          },
        })
        upload.start()
      }),
    endpoint(server),
  )
  await assertGone(url)
})

test('tus-js-client can read why its parts are not taken in parallel', async (context) => {
  const { page, server } = context
  const answer = await page.evaluate(
    (endpoint) =>
      new Promise<string>((resolve) => {
        const upload = new clients.tus.Upload(content, {
          endpoint,
          parallelUploads: 2,
          retryDelays: null,
          onError: (error) => {
            const { originalResponse } = error as InstanceType<
              Clients['tus']['DetailedError']
            >
            resolve(originalResponse?.getBody() ?? String(error))
          },
        })
        upload.start()
      }),
    endpoint(server),
  )
  assert.is(JSON.parse(answer).code, 'EXTENSION_UNSUPPORTED')
})

test('Uppy uploads two files at once', async (context) => {
  const { page, server } = context
  const urls = await page.evaluate(async (endpoint) => {
    const uppy = new clients.Uppy().use(clients.Tus, { endpoint })
    uppy.addFile({ name: 'a.bin', type: content.type, data: content })
    uppy.addFile({ name: 'b.bin', type: content.type, data: content })
    const result = await uppy.upload()
    return result?.successful?.map(({ uploadURL }) => uploadURL ?? null) ?? []
  }, endpoint(server))
  assert.is(urls.length, 2)
  for (const url of urls) await assertServed(server, url)
})

test('Uppy pauses and resumes where it stopped', async (context) => {
  const { page, server, sent } = context
  const paused = await page.evaluate(async (endpoint) => {
    const options = { endpoint, chunkSize: 1024 * 1024 }
    const uppy = new clients.Uppy().use(clients.Tus, options)
    uppy.addFile({ name: 'a.bin', type: content.type, data: content })
    const url = new Promise<string>((resolve) => {
      let isPaused = false
      uppy.on('upload-progress', (file, { bytesUploaded }) => {
        if (isPaused || !bytesUploaded || !file?.tus?.uploadUrl) return
        isPaused = true
        uppy.pauseAll()
        resolve(file.tus.uploadUrl)
      })
    })
    Object.assign(globalThis, { uppy, done: uppy.upload() })
    return await url
  }, endpoint(server))
  await page.waitForTimeout(300)
  const offset = await offsetOf(paused)
  assert.ok(offset < size)
  await page.waitForTimeout(300)
  assert.is(await offsetOf(paused), offset)
  const before = sent.length
  const url = await page.evaluate(async () => {
    const { uppy, done } = globalThis as unknown as {
      uppy: InstanceType<Clients['Uppy']>
      done: ReturnType<InstanceType<Clients['Uppy']>['upload']>
    }
    uppy.resumeAll()
    return (await done)?.successful?.[0]?.uploadURL ?? null
  })
  assert.is(url, paused)
  await assertServed(server, url)
  assert.is(sent[before], 'HEAD')
  assert.not.ok(sent.slice(before).includes('POST'))
})

test('Uppy removes from the server what is removed from its list', async (context) => {
  const { page, server } = context
  const url = await page.evaluate(
    (endpoint) =>
      new Promise<string>((resolve) => {
        const options = { endpoint, chunkSize: 1024 * 1024 }
        const uppy = new clients.Uppy().use(clients.Tus, options)
        uppy.addFile({ name: 'a.bin', type: content.type, data: content })
        uppy.on('upload-progress', (file, { bytesUploaded }) => {
          if (!bytesUploaded || !file?.tus?.uploadUrl) return
          uppy.removeFile(file.id)
          resolve(file.tus.uploadUrl)
        })
        void uppy.upload()
      }),
    endpoint(server),
  )
  await page.waitForTimeout(300)
  await assertGone(url)
})

test('Uppy goes on by its own retries when the server was killed and is back', async (context) => {
  const { page, sent } = context
  const cdp = await context.profile.newCDPSession(page)
  await cdp.send('Network.enable')
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 2 * MiB,
  })
  await page.evaluate((endpoint) => {
    const retryDelays = Array.from({ length: 60 }, () => 250)
    const options = { endpoint, chunkSize: 1024 * 1024, retryDelays }
    const uppy = new clients.Uppy().use(clients.Tus, options)
    uppy.addFile({ name: 'a.bin', type: content.type, data: content })
    Object.assign(globalThis, { uppy, done: uppy.upload() })
  }, endpoint(context.server))
  while (sent.filter((method) => method === 'PATCH').length < 2) {
    await page.waitForTimeout(20)
  }
  context.server.child.kill('SIGKILL')
  await context.server.ended
  const { port } = new URL(context.server.url)
  context.server = await startServer(['--port', port], { cwd: context.server.cwd })
  const url = await page.evaluate(async () => {
    const { done } = globalThis as unknown as {
      done: ReturnType<InstanceType<Clients['Uppy']>['upload']>
    }
    return (await done)?.successful?.[0]?.uploadURL ?? null
  })
  await assertServed(context.server, url)
  assert.is(sent.filter((method) => method === 'POST').length, 1)
})

test.run()

function endpoint({ url }: RunningServer): string {
  return `${url}/uploads/demo`
}

/** Runs in the page. */
function uploadWithTus(options: Record<string, unknown>): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const upload = new clients.tus.Upload(content, {
      ...options,
      metadata: { filename: content.name, filetype: content.type },
      onSuccess: () => resolve(upload.url),
      onError: reject,
    })
    upload.start()
  })
}

async function assertServed({ url }: RunningServer, upload: string | null) {
  assert.ok(upload, 'the upload has a URL')
  const id = new URL(upload).pathname.split('/').at(-1)
  const response = await fetch(`${url}/files/${id}`)
  assert.is(response.status, 200)
  const bytes = Buffer.from(await response.arrayBuffer())
  const expected = Uint8Array.from({ length: size }, (_, i) => (i * 31) ^ (i >>> 9))
  assert.is(digest(bytes), digest(expected))
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function head(url: string | null): Promise<Response> {
  assert.ok(url, 'the upload has a URL')
  return fetch(url, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } })
}

async function assertGone(url: string | null) {
  assert.is((await head(url)).status, 410)
}

async function offsetOf(url: string): Promise<number> {
  return Number((await head(url)).headers.get('upload-offset'))
}
