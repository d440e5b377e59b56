import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../src/shared/errors.ts'
import { storeFromUrl } from '../../src/store-url.ts'

const test = suite('a store by its URL')

for (const [url, kind] of [
  ['file:/var/lib/carcosa', 'file'],
  ['file:///var/lib/carcosa', 'file'],
  ['file:relative/files?durability=disk', 'file'],
  ['s3://media', 's3'],
  ['s3://media/uploads/?region=eu-west-1&partSize=16MB', 's3'],
  ['s3://media?endpoint=https://s3.example.com&pathStyle=true', 's3'],
  ['r2://media/uploads?account=abc&jurisdiction=eu', 'r2'],
  ['gs://media/uploads/', 'gcs'],
  ['minio://media?endpoint=http://127.0.0.1:9000', 'minio'],
  ['backblaze://media?region=us-west-004', 'backblaze'],
  ['scaleway://media?region=fr-par', 'scaleway'],
] as const) {
  test(`${url} is a store of kind ${kind}`, async () => {
    assert.is((await storeFromUrl(url)).kind, kind)
  })
}

for (const [url, why] of [
  ['ftp://media', /no store "ftp:"; use file:, s3:/],
  ['s3:', /scheme:\/\/bucket/],
  ['s3://', /scheme:\/\/bucket/],
  ['s3://key:very-secret@media', /without a password/],
  ['s3://media?regoin=x', /"regoin" is not one of region/],
  ['s3://media?partSize=1KB', /partSize must be/],
  ['r2://media?account=abc&jurisdiction=mars', /eu or fedramp/],
  ['r2://media', /accountId or endpoint/],
  ['scaleway://media', /region or endpoint/],
  ['file:/x?durability=maybe', /process or disk/],
  ['gs://media?region=x', /"region" is not one of endpoint/],
] as const) {
  test(`${url} is refused in a sentence that helps`, async () => {
    const error = await storeFromUrl(url).then(
      () => null,
      (error: unknown) => error,
    )
    assert.instance(error, CarcosaError)
    const { code, message } = error as CarcosaError
    assert.is(code, 'CONFIG_INVALID')
    assert.match(message, why)
    assert.not.match(message, /very-secret/)
  })
}

test.run()
