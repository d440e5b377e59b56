import * as assert from 'uvu/assert'
import { KiB, keyOf, withBareS3 } from './bare.ts'
import { clientOf } from './client.ts'

const hello = Buffer.from('hello')

/** Rows about what is removed, and what is not. */
export const removalRows = {
  S8: {
    fault: 'sweeps away the multipart uploads of others in the bucket',
    bites: () =>
      withBareS3(
        { store: { expirationPeriodInMilliseconds: 1000 } },
        async ({ fake, server }) => {
          const stranger = clientOf(fake)
          const theirs = { Bucket: fake.bucket, Key: 'backups/monday' }
          await stranger.createMultipartUpload(theirs)
          fake.putObject('backups/monday.info', 'theirs')
          for (const upload of fake.uploads.values()) upload.initiated = new Date(0)
          const removed = await server.cleanUpExpiredUploads()
          stranger.destroy()
          assert.is(fake.uploads.size, 0)
          assert.is(fake.objects.size, 0, 'and an object that is named as its own')
          assert.is(removed, 2, 'it counts objects')
        },
      ),
  },

  S9: {
    fault: 'cannot remove a finished upload where AWS forgot the multipart',
    bites: () =>
      withBareS3({}, async ({ fake, create, patch, remove }) => {
        const path = await create(5)
        await patch(path, 0, hello)
        assert.is((await remove(path)).status, 404)
        assert.ok(fake.objects.has(keyOf(path)))
        fake.faults.noSuchUploadOnAbort = false
        assert.is((await remove(path)).status, 204, 'on MinIO nobody notices')
        assert.is(fake.objects.has(keyOf(path)), false)
      }),
  },

  S10: {
    fault: 'leaves the tail of an upload behind that is removed',
    bites: () =>
      withBareS3({}, async ({ fake, create, patch, remove }) => {
        const path = await create(10 * KiB)
        await patch(path, 0, Buffer.alloc(3 * KiB))
        assert.is((await remove(path)).status, 204)
        assert.equal([...fake.objects.keys()], [`${keyOf(path)}.part`])
      }),
  },

  S16: {
    fault: 'leaves an object beside every finished one, in the root of the bucket',
    bites: () =>
      withBareS3({}, async ({ fake, create, patch }) => {
        const path = await create(5)
        await patch(path, 0, hello)
        const key = keyOf(path)
        assert.equal([...fake.objects.keys()].sort(), [key, `${key}.info`])
      }),
  },
} as const
