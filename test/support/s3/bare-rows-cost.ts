import * as assert from 'uvu/assert'
import { type BareS3, KiB, keyOf, withBareS3 } from './bare.ts'
import { defaultCache } from './bare-caches.ts'
import type { Operation } from './operation.ts'

const hello = Buffer.from('hello')

/** Rows about what it costs, and what it tells. */
export const costRows = {
  S7: {
    fault: 'remembers every finished upload that is asked for, without end',
    async bites() {
      const cache = defaultCache()
      await withBareS3({ store: { cache } }, async ({ create, patch, head }) => {
        for (let n = 1; n <= 20; n++) {
          const path = await create(5)
          await patch(path, 0, hello)
          await head(path)
          assert.is((await cache.list()).length, n)
        }
      })
    },
  },

  S13: {
    fault: 'sends every byte three times when chunks are small',
    bites: () =>
      withBareS3({}, async ({ fake, create, patch }) => {
        const path = await create(20 * KiB)
        fake.forgetRequests()
        for (let sent = 0; sent < 20; sent++) {
          const { status } = await patch(path, sent * KiB, Buffer.alloc(KiB))
          assert.is(status, 204)
        }
        const { requests } = fake
        const sum = (field: 'received' | 'sent', operations: Operation[]) =>
          requests
            .filter(({ operation }) => operations.includes(operation))
            .reduce((total, request) => total + request[field], 0)
        const up = sum('received', ['PutObject', 'UploadPart'])
        const down = sum('sent', ['GetObject'])
        assert.ok(up >= 55 * KiB, `${up / KiB} KiB up`)
        assert.ok(down >= 35 * KiB, `${down / KiB} KiB down`)
        assert.ok(requests.length >= 100, `${requests.length} requests`)
      }),
  },

  S17: {
    fault: 'tells the client what the SDK says',
    bites: () =>
      withBareS3({ faults: { bucketMissing: true } }, async ({ exchange }) => {
        const headers = { 'Upload-Length': '5' }
        const answer = await exchange({ method: 'POST', path: '/files', headers })
        assert.is(answer.status, 500)
        assert.match(answer.text, 'The specified bucket does not exist')
      }),
  },

  S18: {
    fault: 'lists the parts for every HEAD and every PATCH',
    bites: () =>
      withBareS3({}, async (bare) => {
        const { fake, create, patch, head } = bare
        const path = await create(9000 * KiB)
        await patch(path, 0, Buffer.alloc(8 * KiB))
        assert.is(await listsOf(bare, () => head(path)), 1)
        const more = () => patch(path, 8 * KiB, Buffer.alloc(8 * KiB))
        assert.is(await listsOf(bare, more), 2)

        const [upload] = [...fake.uploads.values()].filter(
          ({ key }) => key === keyOf(path),
        )
        const part = upload?.parts.get(1)
        if (!upload || !part) throw new Error('there is no part')
        for (let number = 3; number <= 1001; number++) {
          upload.parts.set(number, { ...part, number })
        }
        assert.is(await listsOf(bare, () => head(path)), 2, 'one more per 1000 parts')
      }),
  },
} as const

async function listsOf({ fake }: BareS3, act: () => Promise<unknown>): Promise<number> {
  fake.forgetRequests()
  await act()
  return fake.count('ListParts')
}
