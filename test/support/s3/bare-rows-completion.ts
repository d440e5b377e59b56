import * as assert from 'uvu/assert'
import { type BareS3, KiB, keyOf, withBareS3 } from './bare.ts'
import { copyingCache } from './bare-caches.ts'

const hello = Buffer.from('hello')

/** Rows about when an upload is finished. */
export const completionRows = {
  S2: {
    fault: 'calls an upload finished when its object could not be made, or is gone',
    async bites() {
      await withBareS3({}, async (bare) => {
        const path = await bare.create(5)
        bare.fake.faults.failComplete = Number.POSITIVE_INFINITY
        assert.is((await bare.patch(path, 0, hello)).status, 500)
        bare.fake.faults.failComplete = 0
        await saysFinishedWithoutObject(bare, path)
      })
      await withBareS3({}, async (bare) => {
        const path = await bare.create(20 * KiB)
        await bare.patch(path, 0, Buffer.alloc(8 * KiB))
        bare.fake.abortUpload(keyOf(path))
        await saysFinishedWithoutObject(bare, path)
      })
      await withBareS3({}, async (bare) => {
        const path = await bare.create(5)
        assert.is((await bare.patch(path, 0, hello)).status, 204)
        bare.fake.deleteObject(keyOf(path))
        await saysFinishedWithoutObject(bare, path)
      })
    },
  },

  S6: {
    fault: 'never puts an upload of deferred length together when its cache copies',
    bites: () =>
      withBareS3({ store: { cache: copyingCache() } }, async (bare) => {
        const { fake, create, patch, patchLast, head, finished } = bare
        const path = await create(null)
        await patch(path, 0, Buffer.alloc(8 * KiB))
        const last = await patchLast(path, 8 * KiB, hello)
        assert.is(last.status, 204)
        assert.is(finished(), 1, 'it is told to be finished')
        assert.is(fake.objects.has(keyOf(path)), false)
        assert.is((await head(path)).headers['upload-defer-length'], '1', 'for ever')
      }),
  },

  S19: {
    fault:
      'relies on lifecycle rules, and takes one that is early for the end of an upload',
    bites: () =>
      withBareS3(
        { store: { expirationPeriodInMilliseconds: 3_600_000 } },
        async (bare) => {
          const { fake, create, patch } = bare
          const path = await create(20 * KiB)
          await patch(path, 0, Buffer.alloc(8 * KiB))
          const info = fake.objects.get(`${keyOf(path)}.info`)
          assert.is(info?.headers['x-amz-tagging'], 'Tus-Completed=false')
          const [upload] = fake.uploads.values()
          assert.is(
            upload?.headers['x-amz-tagging'],
            undefined,
            'a rule by tag misses parts',
          )
          fake.abortUpload(keyOf(path))
          await saysFinishedWithoutObject(bare, path)

          const other = await create(20 * KiB)
          fake.deleteObject(`${keyOf(other)}.info`)
          await withBareS3({ fake }, async ({ head }) => {
            assert.is((await head(other)).status, 404, 'an upload that goes on is lost')
          })
        },
      ),
  },

  S20: {
    fault: 'fails for good when Complete answers an error although the object exists',
    bites: () =>
      withBareS3({}, async (bare) => {
        const { fake, create, patch, finished } = bare
        const path = await create(5)
        fake.faults.completeErrorsButExists = 1
        assert.is((await patch(path, 0, hello)).status, 500)
        assert.is(fake.objects.get(keyOf(path))?.bytes.toString(), 'hello')
        const again = await patch(path, 5, Buffer.alloc(0))
        assert.is(again.status, 500)
        assert.is(finished(), 0, 'nobody is told of the file')
      }),
  },
} as const

async function saysFinishedWithoutObject(bare: BareS3, path: string): Promise<void> {
  const { status, headers } = await bare.head(path)
  assert.is(status, 200)
  assert.is(headers['upload-offset'], headers['upload-length'])
  assert.is(bare.fake.objects.has(keyOf(path)), false)
}
