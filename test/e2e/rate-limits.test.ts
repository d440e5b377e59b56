/** What clients do where more uploads are begun than the server allows. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as tus from 'tus-js-client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createClient } from '../../client/index.ts'
import { createCarcosa, createRouter, route } from '../../src/index.ts'

const types = { blob: { maxFileSize: '1MB', maxFileCount: 50 } } as const
const router = createRouter({
  few: route(types).public().rateLimit({ points: 3, per: '1s' }),
  one: route(types).public().rateLimit({ points: 1, per: '1s' }),
})

const carcosa = await createCarcosa({ router, database: 'memory://' })
const http = createServer(carcosa.handler)
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`

const test = suite('clients beyond a rate limit')

test.after(async () => {
  http.closeAllConnections()
  http.close()
  await carcosa.close()
})

test('ours waits as long as it is told and goes on, and calls that no failure', async () => {
  // A single failure would be one too many.
  const client = createClient<typeof router>({ url, retry: { attempts: 0, minDelay: 1 } })
  const files = Array.from({ length: 10 }, (_, i) => new File(['hello'], `${i}.txt`))
  const upload = client.create('few', files)
  const delays: number[] = []
  upload.subscribe((event) => {
    if (event.type !== 'retry') return
    assert.is(event.retry.error.code, 'RATE_LIMITED')
    delays.push(event.retry.delay)
  })
  assert.is((await upload.done).files.length, 10)
  assert.ok(delays.length > 0, 'it was limited')
  assert.equal([...new Set(delays)], [1_000])
})

const bytes = Buffer.from('hello')

function send(options: tus.UploadOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const endpoint = `${url}/uploads/one`
    const upload = new tus.Upload(bytes, {
      endpoint,
      ...options,
      onSuccess: () => resolve(),
      onError: reject,
    })
    upload.start()
  })
}

test('tus-js-client gives up on 429, unless it is told to wait', async () => {
  const retryDelays = Array<number>(15).fill(300)
  // Two at once, of which one is beyond the limit.
  const both = (options: tus.UploadOptions) =>
    Promise.allSettled([send(options), send(options)])
  const left = await both({ retryDelays })
  const failed = left.find(({ status }) => status === 'rejected')
  assert.ok(failed?.status === 'rejected')
  assert.instance(failed.reason, tus.DetailedError)
  assert.is((failed.reason as tus.DetailedError).originalResponse?.getStatus(), 429)

  const told = await both({
    retryDelays,
    onShouldRetry(error) {
      const status = (error as tus.DetailedError).originalResponse?.getStatus() ?? 0
      return (
        status === 429 ||
        status === 409 ||
        status === 423 ||
        status < 400 ||
        status >= 500
      )
    },
  })
  assert.equal(
    told.map(({ status }) => status),
    ['fulfilled', 'fulfilled'],
  )
})

test.run()
