/** The variables that point the tests of stores at a bucket of one's own. */
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { gcsClient, gcsServer } from '../support/gcs-server.ts'
import { requires } from '../support/requirements.ts'
import { s3Client, s3Server } from '../support/s3-server.ts'
import { withVariables } from '../support/variables.ts'

const s3 = requires('versitygw', suite('CARCOSA_TEST_S3_ENDPOINT'))

s3('names the server to test against, whose bucket is left clean', async () => {
  const server = await s3Server()
  const variables = {
    CARCOSA_TEST_S3_ENDPOINT: server.endpoint,
    CARCOSA_TEST_S3_BUCKET: server.bucket,
    CARCOSA_TEST_S3_REGION: server.region,
    CARCOSA_TEST_S3_ACCESS_KEY_ID: server.credentials?.accessKeyId ?? '',
    CARCOSA_TEST_S3_SECRET_ACCESS_KEY: server.credentials?.secretAccessKey ?? '',
    CARCOSA_TEST_S3_PROFILE: 'r2',
  }
  await withVariables(variables, async () => {
    const given = await s3Server()
    assert.is(given.profile, 'r2')
    assert.is.not(given.prefix, server.prefix)
    const client = s3Client(given)
    const Bucket = given.bucket
    const other = { Bucket, Key: 'of somebody else' }
    const upload = { Bucket, Key: `${given.prefix}upload` }
    await client.send(new PutObjectCommand({ ...other, Body: 'x' }))
    await client.send(
      new PutObjectCommand({ Bucket, Key: `${given.prefix}object`, Body: 'x' }),
    )
    await client.send(new CreateMultipartUploadCommand(upload))
    await given.stop()
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }))
    assert.equal(
      Contents.map(({ Key }) => Key),
      [other.Key],
    )
    const open = await client.send(new ListMultipartUploadsCommand({ Bucket }))
    assert.is(open.Uploads, undefined)
    client.destroy()
  })
  await server.stop()
})

s3('wants to know the bucket', async () => {
  const variables = { CARCOSA_TEST_S3_ENDPOINT: 'http://s3', CARCOSA_TEST_S3_BUCKET: '' }
  await withVariables(variables, async () => {
    const error = await s3Server().catch((error: unknown) => error)
    assert.match(String(error), /TypeError: .* needs CARCOSA_TEST_S3_BUCKET/)
  })
})

const gcs = requires('fake-gcs-server', suite('CARCOSA_TEST_GCS_ENDPOINT'))

gcs('names the server to test against, whose bucket is left clean', async () => {
  const server = await gcsServer()
  const variables = {
    CARCOSA_TEST_GCS_ENDPOINT: server.endpoint,
    CARCOSA_TEST_GCS_BUCKET: server.bucket,
  }
  await withVariables(variables, async () => {
    const given = await gcsServer()
    const bucket = gcsClient(given).bucket(given.bucket)
    const [mine, other] = [bucket.file(`${given.prefix}object`), bucket.file('other')]
    await mine.save('x', { resumable: false })
    await other.save('x', { resumable: false })
    await given.stop()
    assert.equal(await mine.exists(), [false])
    assert.equal(await other.exists(), [true])
  })
  await server.stop()
})

s3.run()
gcs.run()
