/** A whole file goes to S3 or GCS on the condition that nothing is there, and only once. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { s3 } from '../../../stores/s3.ts'
import type { Answered } from '../../support/exchange.ts'
import { requires } from '../../support/requirements.ts'
import { type S3Fake, startS3Fake } from '../../support/s3-fake.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const fresh = requires('postgres', suite('a whole file put to S3'))
let fake: S3Fake
let server: TestServer

fresh.before(async () => {
  fake = await startS3Fake()
  const { endpoint, bucket } = fake
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  const profile = { conditionalPut: true }
  server = await startServer({ store: s3({ bucket, endpoint, credentials, profile }) })
})
fresh.after(async () => {
  await server.close()
  await fake.close()
})
fresh.before.each(() => fake.reset())

function post(body: string): Promise<Answered> {
  return server.doors.http({
    method: 'POST',
    path: '/uploads/demo',
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Length': String(body.length),
      'Content-Type': 'application/offset+octet-stream',
    },
    body,
  })
}

fresh('says so to the service', async () => {
  assert.is((await post('hello')).status, 201)
  assert.is(fake.requests[0]?.headers['if-none-match'], '*')
})

fresh(
  'is not refused for what its own first try stored, whose answer was lost',
  async () => {
    let puts = 0
    fake.faults.resetAfter = (operation) => operation === 'PutObject' && ++puts === 1
    const answer = await post('hello')
    assert.is(answer.status, 201, answer.text)
    assert.is(puts, 2)
    assert.is(fake.objects.size, 1)
    assert.is((await server.row(answer.headers.location ?? '')).state, 'ready')
  },
)

fresh.run()
