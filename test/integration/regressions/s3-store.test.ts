/** Faults of @tus/s3-store 2.0 (rows S): first shown there, then not here. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep } from '../../../src/uploads/sweep.ts'
import { randomBytesFrom } from '../../support/byte-source.ts'
import { seededRandom } from '../../support/random.ts'
import { expectAnswer, metadataHeader } from '../../support/records.ts'
import { KiB } from '../../support/s3/bare.ts'
import { bareRows } from '../../support/s3/bare-rows.ts'
import { clientOf } from '../../support/s3/client.ts'
import { type OurS3, type OurS3Options, withOurS3 } from '../../support/s3/ours.ts'
import { png } from '../../support/samples.ts'

const test = suite('regressions/s3-store')
const random = randomBytesFrom(seededRandom(3), 64 * KiB)
const hello = Buffer.from('hello')
const happy = ['file.created', 'file.stored', 'file.ready']

type Row = keyof typeof bareRows

/** The bare library has the fault of the row, and Carcosa does what the title says. */
function row(
  id: Row,
  title: string,
  use: (ours: OurS3) => Promise<void>,
  options: OurS3Options = {},
): void {
  test(`${id}: the bare library ${bareRows[id].fault}`, bareRows[id].bites)
  test(`${id}: ${title}`, () => withOurS3(options, use))
}

/** Sends what is missing of an upload, as a client that asks where it stands. */
async function resume({ offset, patch }: OurS3, path: string, bytes: Buffer) {
  const at = await offset(path)
  const answer = await patch(path, at, bytes.subarray(at))
  assert.is(answer.status, 204, answer.text)
}

async function requireWhole(ours: OurS3, path: string, bytes: Buffer) {
  const { fake, read, events, keyOf } = ours
  assert.ok((await read(path)).bytes.equals(bytes))
  assert.equal(await events(path), happy)
  assert.equal([...fake.objects.keys()], [keyOf(path)])
  assert.is(fake.uploads.size, 0)
}

row(
  'S1',
  'only the parts before one that failed count, and no hole is left',
  async (ours) => {
    const { fake, create, patch, offset } = ours
    const bytes = random.subarray(0, 24 * KiB)
    const path = await create(bytes.length)
    fake.faults.delayMs = (_, number) => (number === 1 ? 300 : 0)
    fake.faults.failPart = (number) => (number === 1 ? 500 : null)
    expectAnswer(await patch(path, 0, bytes), {
      status: 503,
      code: 'STORAGE_UNAVAILABLE',
    })
    assert.is(await offset(path), 0)
    fake.faults.failPart = (number) => (number === 2 ? 500 : null)
    assert.is((await patch(path, 0, bytes)).status, 503)
    assert.is(await offset(path), 8 * KiB)
    fake.faults.failPart = () => null
    await resume(ours, path, bytes)
    await requireWhole(ours, path, bytes)
  },
)

row('S2', 'what could not be made is made when asked again, or is gone', async (ours) => {
  const { fake, create, patch, head, keyOf } = ours
  const bytes = random.subarray(0, 24 * KiB)
  const failed = await create(bytes.length)
  fake.faults.failComplete = Number.POSITIVE_INFINITY
  assert.is((await patch(failed, 0, bytes)).status, 503)
  assert.is((await head(failed)).status, 423, 'HEAD never says that it is complete')
  fake.faults.failComplete = 0
  expectAnswer(await head(failed), {
    status: 200,
    headers: { 'Upload-Offset': String(bytes.length) },
  })
  await requireWhole(ours, failed, bytes)

  const aborted = await create(bytes.length)
  await patch(aborted, 0, bytes.subarray(0, 8 * KiB))
  fake.abortUpload(keyOf(aborted))
  const lost = await patch(aborted, 8 * KiB, bytes.subarray(8 * KiB))
  expectAnswer(lost, { status: 410, code: 'UPLOAD_GONE' })
  assert.is((await head(aborted)).status, 410)

  fake.deleteObject(keyOf(failed))
  expectAnswer(await ours.read(failed), { status: 500, code: 'STORAGE_CORRUPT' })
})

row(
  'S3',
  'parts are equal whatever the client sends, also if the length comes last',
  async (ours) => {
    const { fake, create, patch } = ours
    for (const length of [20 * KiB, null]) {
      const bytes = random.subarray(0, 20 * KiB)
      const path = await create(length)
      const sizes = [6 * KiB, 7 * KiB, 7 * KiB]
      let at = 0
      for (const size of sizes) {
        const isLast = at + size === bytes.length
        const more: Record<string, string> =
          isLast && length === null ? { 'Upload-Length': `${bytes.length}` } : {}
        const answer = await patch(path, at, bytes.subarray(at, at + size), more)
        assert.is(answer.status, 204, answer.text)
        at += size
      }
      await requireWhole(ours, path, bytes)
      fake.reset()
    }
  },
  { faults: { equalParts: true }, store: { profile: { equalParts: true } } },
)

row(
  'S4',
  'nothing is tagged, and no checksum is sent where the profile has none',
  async (ours) => {
    const { fake, create } = ours
    const path = await create(20 * KiB)
    await resume(ours, path, random.subarray(0, 20 * KiB))
    const headers = fake.requests.flatMap(({ headers }) => Object.keys(headers))
    const added = headers.filter((name) => /tagging|checksum|trailer/.test(name))
    assert.equal(added, [])
  },
  { faults: { noTagging: true }, store: { profile: { checksum: 'none' } } },
)

row('S5', 'an upload of deferred length is stored part by part', async (ours) => {
  const { fake, create, patch } = ours
  const bytes = random.subarray(0, 60 * KiB)
  const path = await create(null)
  assert.is((await patch(path, 0, bytes.subarray(0, 40 * KiB))).status, 204)
  assert.is(fake.count('UploadPart'), 5)
  const rest = bytes.subarray(40 * KiB)
  await patch(path, 40 * KiB, rest, { 'Upload-Length': String(bytes.length) })
  await requireWhole(ours, path, bytes)
})

row('S6', 'a length that is told last is known to whoever asks next', async (ours) => {
  const { create, patch, head, server } = ours
  const path = await create(null)
  await patch(path, 0, random.subarray(0, 8 * KiB))
  // As on another node: nothing of the upload is remembered here.
  server.uploads.tails.drop(path.split('/').pop() ?? '')
  const bytes = random.subarray(0, 9 * KiB)
  const told = { 'Upload-Length': String(bytes.length) }
  await patch(path, 8 * KiB, bytes.subarray(8 * KiB), told)
  expectAnswer(await head(path), { status: 200, headers: { 'Upload-Length': '9216' } })
  await requireWhole(ours, path, bytes)
})

row('S7', 'nothing is remembered of an upload that is finished', async (ours) => {
  const { create, patch, head, server } = ours
  const path = await create(5)
  await patch(path, 0, hello)
  await head(path)
  assert.is(server.uploads.tails.offsetOf(path.split('/').pop() ?? ''), null)
})

row('S8', 'the multipart uploads of others are left alone', async (ours) => {
  const { fake, server, create, patch, keyOf } = ours
  const stranger = clientOf(fake)
  for (const Key of ['backups/monday', 'carcosaXtuesday']) {
    await stranger.createMultipartUpload({ Bucket: fake.bucket, Key })
    fake.putObject(`${Key}.info`, 'theirs')
  }
  stranger.destroy()
  const path = await create(20 * KiB)
  await patch(path, 0, random.subarray(0, 8 * KiB))
  await server.uploads.db.query({
    name: 'expire_all',
    sql: `UPDATE carcosa.file SET expires_at = now() - interval '1 day'`,
  })
  assert.equal(await sweep(server.uploads), { expired: 1, purged: 1 })
  const left = [...fake.uploads.values()].map(({ key }) => key)
  assert.equal(left.sort(), ['backups/monday', 'carcosaXtuesday'])
  assert.is(fake.objects.size, 2)
  assert.is(fake.objects.has(keyOf(path)), false)
})

for (const noSuchUploadOnAbort of [true, false]) {
  const service = noSuchUploadOnAbort ? 'AWS' : 'MinIO'
  test(`S9: a finished upload is removed, on ${service} too`, () =>
    withOurS3({ faults: { noSuchUploadOnAbort } }, async (ours) => {
      const { fake, create, remove, patch, head } = ours
      for (const size of [5, 20 * KiB]) {
        const path = await create(size)
        await patch(path, 0, random.subarray(0, size))
        // Anonymous and finished: the server removes it.
        assert.is(
          await ours.server.carcosa.api.files.delete(path.split('/').pop() ?? ''),
          true,
        )
        assert.is(fake.objects.size, 0)
        assert.is((await head(path)).status, 410)
        assert.is((await remove(path)).status, 410)
      }
    }))
}

row(
  'S9',
  'removing what is removed is no failure',
  async ({ fake, server, create, patch, keyOf }) => {
    const path = await create(20 * KiB)
    await patch(path, 0, random.subarray(0, 20 * KiB))
    fake.deleteObject(keyOf(path))
    assert.is(await server.carcosa.api.files.delete(path.split('/').pop() ?? ''), true)
    assert.ok((await server.row(path)).purgedAt)
  },
)

row('S10', 'nothing is left of an upload that is removed', async (ours) => {
  const { fake, server, create, patch, remove } = ours
  const path = await create(30 * KiB)
  await patch(path, 0, random.subarray(0, 11 * KiB))
  assert.is(fake.uploads.size, 1)
  assert.is((await remove(path)).status, 204)
  assert.is(fake.objects.size, 0)
  assert.is(fake.uploads.size, 0)
  const left = await server.uploads.db.query({
    name: 'all_pieces',
    sql: 'SELECT file_id FROM carcosa.upload_part UNION ALL SELECT file_id FROM carcosa.staged_bytes',
  })
  assert.equal(left, [])
})

row('S11', 'a tail is kept until the part it goes into is safe', async (ours) => {
  const { fake, create, patch, offset } = ours
  const bytes = random.subarray(0, 10 * KiB)
  const path = await create(bytes.length)
  await patch(path, 0, bytes.subarray(0, 3 * KiB))
  assert.is(await offset(path), 3 * KiB)
  fake.faults.failPart = () => 500
  const more = await patch(path, 3 * KiB, bytes.subarray(3 * KiB, 9 * KiB))
  assert.is(more.status, 503)
  assert.is(await offset(path), 3 * KiB)
  fake.faults.failPart = () => null
  await resume(ours, path, bytes)
  await requireWhole(ours, path, bytes)
})

row(
  'S12',
  'part numbers are kept for what is still to come',
  async (ours) => {
    const { create, patch } = ours
    const bytes = random.subarray(0, 64 * KiB)
    const path = await create(bytes.length)
    for (let at = 0; at < bytes.length; at += 6 * KiB) {
      const answer = await patch(path, at, bytes.subarray(at, at + 6 * KiB))
      assert.is(answer.status, 204, answer.text)
    }
    await requireWhole(ours, path, bytes)
  },
  { faults: { maxParts: 10 }, store: { profile: { maxParts: 10 } } },
)

row('S13', 'small chunks are gathered, and sent once', async (ours) => {
  const { fake, create, patch } = ours
  const bytes = random.subarray(0, 20 * KiB)
  const path = await create(bytes.length)
  fake.forgetRequests()
  for (let at = 0; at < bytes.length; at += KiB) {
    assert.is((await patch(path, at, bytes.subarray(at, at + KiB))).status, 204)
  }
  const { requests } = fake
  const sum = (field: 'received' | 'sent') =>
    requests
      .filter(({ operation }) => operation !== 'CompleteMultipartUpload')
      .reduce((total, request) => total + request[field], 0)
  assert.is(sum('received'), 20 * KiB)
  assert.ok(sum('sent') < KiB)
  assert.is(requests.length, 3 + 2)
  await requireWhole(ours, path, bytes)
})

row('S14', 'an empty file is an empty object', async (ours) => {
  const { fake, create, head, keyOf, read } = ours
  const path = await create(0)
  assert.is(fake.objects.get(keyOf(path))?.size, 0)
  expectAnswer(await head(path), { status: 200, headers: { 'Upload-Offset': '0' } })
  assert.is((await read(path)).status, 200)
})

row(
  'S15',
  'the object says what it is, from its bytes and from its name',
  async (ours) => {
    const { fake, create, patch, keyOf } = ours
    const about = metadataHeader({ filename: 'Carcosa.png', filetype: 'image/png' })
    for (const size of [png.length, 20 * KiB]) {
      const path = await create(size, { 'Upload-Metadata': about })
      await patch(path, 0, Buffer.concat([png, random]).subarray(0, size))
      const { headers } = fake.objects.get(keyOf(path)) ?? {}
      assert.is(headers?.['content-type'], 'image/png')
      assert.is(headers?.['content-disposition'], 'inline; filename="Carcosa.png"')
      assert.is(headers?.['x-amz-meta-carcosa-id'], path.split('/').pop())
      assert.is(headers?.['x-amz-meta-carcosa-route'], 'demo')
    }
  },
)

row(
  'S16',
  'there is one object, under the prefix and the key that was asked for',
  async ({ fake, create, patch }) => {
    const path = await create(20 * KiB)
    await patch(path, 0, random.subarray(0, 20 * KiB))
    assert.equal([...fake.objects.keys()], [`up/here/demo/${path.split('/').pop()}`])
  },
  { store: { prefix: 'up/here/', key: ({ id, route }) => `${route}/${id}` } },
)

row('S17', 'the client is not told what the SDK says', async (ours) => {
  const { fake, create, patch, head } = ours
  const faults = ['bucketMissing', 'expiredToken', 'accessDenied', 'clockSkew'] as const
  for (const fault of faults) {
    const path = await create(5)
    fake.faults[fault] = true
    const answer = await patch(path, 0, hello)
    fake.faults[fault] = false
    expectAnswer(answer, { status: 503, code: 'STORAGE_UNAVAILABLE' })
    assert.match(answer.headers['retry-after'] ?? '', /^\d+$/)
    assert.not.match(answer.text, fake.bucket)
    assert.not.match(
      answer.text,
      /specified bucket|Access Denied|token has expired|127\.0/,
    )
    assert.is((await head(path)).status, 200)
    await resume(ours, path, hello)
  }
})

row('S18', 'HEAD asks the service for nothing, and PATCH for no list', async (ours) => {
  const { fake, create, patch, head, server } = ours
  const path = await create(64 * KiB)
  await patch(path, 0, random.subarray(0, 8 * KiB))
  fake.forgetRequests()
  assert.is((await head(path)).status, 200)
  server.uploads.tails.drop(path.split('/').pop() ?? '')
  assert.is((await head(path)).status, 200)
  assert.is(fake.count(), 0)
  await patch(path, 8 * KiB, random.subarray(8 * KiB, 16 * KiB))
  assert.equal(
    fake.requests.map(({ operation }) => operation),
    ['UploadPart'],
  )
})

row(
  'S19',
  'no lifecycle rule is needed, and one that is early ends the upload',
  async (ours) => {
    const { fake, create, patch, head, keyOf } = ours
    const path = await create(20 * KiB)
    await patch(path, 0, random.subarray(0, 8 * KiB))
    fake.abortUpload(keyOf(path))
    assert.is((await head(path)).status, 200)
    const answer = await patch(path, 8 * KiB, random.subarray(8 * KiB, 16 * KiB))
    expectAnswer(answer, { status: 410, code: 'UPLOAD_GONE' })
    assert.match(answer.text, 'The store lost bytes of this upload')
    assert.equal(await ours.events(path), ['file.created', 'file.failed'])
    const again = await create(20 * KiB)
    await resume(ours, again, random.subarray(0, 20 * KiB))
  },
)

row(
  'S20',
  'an object that exists is complete, whatever the answer said',
  async (ours) => {
    const { fake, create, patch } = ours
    const bytes = random.subarray(0, 20 * KiB)
    for (const fault of ['error', 'lost'] as const) {
      const path = await create(bytes.length)
      if (fault === 'error') fake.faults.completeErrorsButExists = 1
      else fake.faults.resetAfter = (operation) => operation === 'CompleteMultipartUpload'
      assert.is((await patch(path, 0, bytes)).status, 204)
      await requireWhole(ours, path, bytes)
      fake.reset()
    }
  },
)

test.run()
