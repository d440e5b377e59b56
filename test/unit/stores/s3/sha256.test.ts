import { createHash, createHmac } from 'node:crypto'
import { S3Client } from '@aws-sdk/client-s3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Sha256 } from '../../../../stores/s3/sha256.ts'

const test = suite('SHA-256 as the signer asks for it')
const text = 'what is signed, with an é'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

async function digestOf(hash: Sha256, ...data: (string | Uint8Array)[]) {
  for (const one of data) hash.update(one)
  return hex(await hash.digest())
}

test('without a secret it is a hash', async () => {
  const expected = createHash('sha256').update(text).digest('hex')
  assert.is(await digestOf(new Sha256(), text), expected)
  assert.is(await digestOf(new Sha256(), Buffer.from(text)), expected)
  assert.is(await digestOf(new Sha256(), text.slice(0, 9), text.slice(9)), expected)
})

test('with a secret it is an HMAC, each time', async () => {
  const bytes = Buffer.from('a key of 32 bytes, or any number')
  for (const secret of ['sécret', 'another', 'sécret', bytes, bytes]) {
    const expected = createHmac('sha256', secret).update(text).digest('hex')
    assert.is(await digestOf(new Sha256(secret), text), expected)
  }
  const { buffer } = new Uint8Array(bytes)
  const expected = createHmac('sha256', bytes).update(text).digest('hex')
  assert.is(await digestOf(new Sha256(buffer), text), expected)
})

test('part of a larger memory is that part alone', async () => {
  const all = Buffer.from('0123456789')
  const [one, two] = [all.subarray(0, 5), all.subarray(5)]
  const expected = (secret: Uint8Array) =>
    createHmac('sha256', secret).update('x').digest('hex')
  assert.is(await digestOf(new Sha256(one), 'x'), expected(one))
  assert.is(await digestOf(new Sha256(two), 'x'), expected(two))
})

test('it can begin anew', async () => {
  for (const hash of [new Sha256(), new Sha256('secret')]) {
    const first = await digestOf(hash, text)
    hash.reset()
    assert.is(await digestOf(hash, text), first)
  }
})

test("signatures are those of the SDK's own", async () => {
  const options = {
    region: 'us-east-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
  }
  const request = {
    method: 'PUT',
    protocol: 'https:',
    hostname: 'bucket.example',
    path: '/a%20key',
    query: {},
    headers: { host: 'bucket.example', 'content-type': 'text/plain' },
    body: Buffer.from(text),
  }
  const authorization = async (client: S3Client) => {
    const signer = await client.config.signer()
    const signed = await signer.sign(request, { signingDate: new Date(0) })
    return (signed as typeof request & { headers: { authorization?: string } }).headers
      .authorization
  }
  const usual = await authorization(new S3Client(options))
  assert.match(usual ?? '', /^AWS4-HMAC-SHA256 .*Signature=[0-9a-f]{64}$/)
  for (let i = 0; i < 2; i++) {
    assert.is(await authorization(new S3Client({ ...options, sha256: Sha256 })), usual)
  }
})

test.run()
