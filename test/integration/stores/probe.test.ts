/** `probe`: what a store knows of itself without writing. */
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { file } from '../../../stores/file.ts'
import { gcs } from '../../../stores/gcs.ts'
import { s3 } from '../../../stores/s3.ts'
import type { Store } from '../../../stores/store.ts'
import { startGcsFake } from '../../support/gcs-fake.ts'
import { startS3Fake } from '../../support/s3-fake.ts'

const test = suite('the probe of a store')

async function codeOf(store: Store): Promise<string> {
  try {
    await store.probe?.()
    return 'none'
  } catch (error) {
    assert.instance(error, CarcosaError)
    return (error as CarcosaError).code
  }
}

test('files: the directory is there, or can be made, and nothing is written into it', async () => {
  const base = mkdtempSync(join(tmpdir(), 'carcosa-probe-'))
  const directory = join(base, 'files')
  const store = file({ directory })
  await store.start()
  assert.is(await codeOf(store), 'none')
  assert.equal(readdirSync(directory), [])
  rmSync(directory, { recursive: true })
  assert.is(await codeOf(store), 'none', 'an upload would make it, too')
  rmSync(directory, { recursive: true })
  writeFileSync(directory, 'a file')
  assert.is(await codeOf(store), 'STORAGE_UNAVAILABLE')
  rmSync(directory)
  symlinkSync(join(base, 'nowhere'), directory)
  assert.is(await codeOf(store), 'STORAGE_UNAVAILABLE')
  rmSync(base, { recursive: true })
})

test('S3: one cheap request that writes nothing, and every trouble is told', async () => {
  const fake = await startS3Fake()
  const store = s3({
    bucket: fake.bucket,
    endpoint: fake.endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    client: { maxAttempts: 1 },
  })
  try {
    fake.putObject('carcosa/one', '1')
    assert.is(await codeOf(store), 'none')
    assert.equal(
      fake.requests.map(({ operation, query }) => [operation, query['max-keys']]),
      [['ListObjectsV2', '1']],
    )
    for (const fault of [
      'accessDenied',
      'bucketMissing',
      'expiredToken',
      'clockSkew',
    ] as const) {
      fake.reset()
      fake.faults[fault] = true
      assert.is(await codeOf(store), 'STORAGE_UNAVAILABLE', fault)
    }
  } finally {
    await fake.close()
  }
  assert.is(await codeOf(store), 'STORAGE_UNAVAILABLE', 'nobody answers')
})

test('GCS: the same', async () => {
  const fake = await startGcsFake()
  const store = gcs({ bucket: fake.bucket, apiEndpoint: fake.endpoint })
  const missing = gcs({ bucket: 'another', apiEndpoint: fake.endpoint })
  try {
    assert.is(await codeOf(store), 'none')
    assert.is(fake.count(), 1)
    assert.is(await codeOf(missing), 'STORAGE_UNAVAILABLE')
  } finally {
    await fake.close()
  }
})

test.run()
