import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { eventually, openRaw } from '../raw-http.ts'
import { type BareS3, KiB, keyOf, withBareS3 } from './bare.ts'

/** Rows about what becomes of bytes. */
export const writeRows = {
  S1: {
    fault: 'makes a file with a hole of a part that failed while later ones succeeded',
    bites: () =>
      withBareS3({}, async ({ fake, create, patch, head }) => {
        const bytes = blocks(8 * KiB, 8 * KiB, 8 * KiB)
        const path = await create(bytes.length)
        fake.faults.delayMs = (_, number) => (number === 1 ? 300 : 0)
        fake.faults.failPart = (number) => (number === 1 ? 500 : null)
        assert.is((await patch(path, 0, bytes)).status, 500)
        assert.is((await head(path)).headers['upload-offset'], String(16 * KiB))

        const rest = await patch(path, 16 * KiB, bytes.subarray(16 * KiB))
        assert.is(rest.status, 204, 'it is told to be complete')
        const made = fake.objects.get(keyOf(path))
        assert.is(made?.size, bytes.length, 'its size is right')
        const second = bytes.subarray(8 * KiB, 16 * KiB)
        const third = bytes.subarray(16 * KiB)
        assert.ok(made?.bytes.equals(Buffer.concat([second, third, third])))
      }),
  },

  S3: {
    fault: 'makes parts of unequal size, which R2 refuses when all bytes are sent',
    async bites() {
      const faults = { equalParts: true }
      await withBareS3({ faults }, async (bare) => {
        const path = await bare.create(20 * KiB)
        const last = await sendAll(bare, path, [6 * KiB, 7 * KiB, 7 * KiB])
        assert.is(last.status, 500)
        assert.match(last.text, 'All non-trailing parts must have the same length')
        assert.is(bare.fake.objects.has(keyOf(path)), false)
        const again = await bare.patch(path, 20 * KiB, Buffer.alloc(0))
        assert.is(again.status, 500, 'for ever')
      })
      const equal = { partSize: 8 * KiB, minPartSize: 8 * KiB }
      await withBareS3({ faults, store: equal }, async (bare) => {
        const known = await bare.create(20 * KiB)
        const sent = await sendAll(bare, known, [6 * KiB, 7 * KiB, 7 * KiB])
        assert.is(sent.status, 204, 'with equal sizes it works, if the length is known')

        const path = await bare.create(null)
        await sendAll(bare, path, [20 * KiB, 30 * KiB])
        const last = await bare.patchLast(path, 50 * KiB, Buffer.alloc(10 * KiB))
        assert.is(last.status, 500, 'but not if it is told at the end')
        const parts = [...bare.fake.uploads.values()].flatMap(({ parts }) => [
          ...parts.values(),
        ])
        assert.equal(
          parts.map(({ size }) => size / KiB),
          [20, 30, 8, 2],
        )
      })
    },
  },

  S4: {
    fault:
      'tags what it puts where tags are unknown, and adds checksums nobody asked for',
    async bites() {
      const faults = { noTagging: true }
      const expiring = { expirationPeriodInMilliseconds: 60_000 }
      await withBareS3({ faults, store: expiring }, async ({ fake, exchange }) => {
        const headers = { 'Upload-Length': '5' }
        const made = await exchange({ method: 'POST', path: '/files', headers })
        assert.is(made.status, 500)
        assert.is(fake.uploads.size, 1, 'and the upload it began stays behind')
      })
      await withBareS3({ faults }, async ({ fake, create, patch }) => {
        await patch(await create(5), 0, Buffer.from('hello'))
        const put = fake.requests.find(({ operation }) => operation === 'UploadPart')
        assert.is(put?.headers['x-amz-trailer'], 'x-amz-checksum-crc32')
      })
    },
  },

  S5: {
    fault:
      'stages the whole body of an upload of deferred length before it stores a byte',
    bites: () =>
      inDirectory((directory) =>
        withBareS3({}, async ({ fake, create, port, store }) => {
          const sent = Buffer.alloc(64 * KiB)
          const partsOf = (path: string) =>
            fake.requests.filter(
              ({ operation, key }) => operation === 'UploadPart' && key === keyOf(path),
            ).length
          const known = await create(65 * KiB)
          const first = await hold(port, known, sent)
          await eventually(
            () => partsOf(known),
            (count) => count === 7,
          )
          first.cut()

          const deferred = await create(null)
          const second = await hold(port, deferred, sent)
          await eventually(
            () => sizesIn(directory),
            (sizes) => sizes.includes(64 * KiB),
          )
          assert.is(partsOf(deferred), 0, 'a crash now loses all of it')
          second.cut()
          const most = store.maxUploadSize / store.maxMultipartParts
          assert.ok(most > 524 * 2 ** 20, 'which can be 524 MiB')
        }),
      ),
  },

  S11: {
    fault: 'forgets the tail it stored before the bytes that follow are safe',
    async bites() {
      await withBareS3({}, async ({ fake, create, patch, head }) => {
        const path = await create(10 * KiB)
        await patch(path, 0, Buffer.alloc(3 * KiB))
        assert.is((await head(path)).headers['upload-offset'], String(3 * KiB))
        fake.faults.failPart = () => 500
        const more = await patch(path, 3 * KiB, Buffer.alloc(5 * KiB))
        assert.is(more.status, 500)
        assert.is((await head(path)).headers['upload-offset'], '0')
      })
      await withBareS3({}, async ({ fake, create, patch, head }) => {
        const bytes = blocks(3 * KiB, 5 * KiB, KiB, KiB)
        const path = await create(bytes.length)
        await patch(path, 0, bytes.subarray(0, 3 * KiB))
        fake.faults.delayMs = (operation) => (operation === 'UploadPart' ? 300 : 0)
        fake.faults.failPart = () => 500
        await patch(path, 3 * KiB, bytes.subarray(3 * KiB, 9 * KiB))
        assert.is((await head(path)).headers['upload-offset'], String(KiB))
        fake.faults.failPart = () => null
        const rest = await patch(path, KiB, bytes.subarray(KiB))
        assert.is(rest.status, 204)
        const made = fake.objects.get(keyOf(path))?.bytes
        const first = made?.subarray(0, KiB)
        assert.ok(
          first?.equals(bytes.subarray(8 * KiB, 9 * KiB)),
          'what came last is first',
        )
      })
    },
  },

  S12: {
    fault: 'runs out of part numbers when chunks are smaller than parts',
    bites: () =>
      withBareS3(
        { faults: { maxParts: 10 }, store: { maxMultipartParts: 10 } },
        async (bare) => {
          // Ten parts of 8 KiB would do, and the library thinks they do.
          const path = await bare.create(66 * KiB)
          const chunks = Array.from({ length: 11 }, () => 6 * KiB)
          const last = await sendAll(bare, path, chunks)
          assert.is(last.status, 500)
          const head = await bare.head(path)
          assert.is(
            head.headers['upload-offset'],
            String(60 * KiB),
            'and it cannot go on',
          )
        },
      ),
  },

  S14: {
    fault: 'calls an empty file finished without making an object',
    bites: () =>
      withBareS3({}, async ({ fake, create, head, finished }) => {
        const path = await create(0)
        assert.is(finished(), 1)
        assert.is((await head(path)).headers['upload-offset'], '0')
        assert.is(fake.objects.has(keyOf(path)), false)
      }),
  },

  S15: {
    fault: 'takes the content type from a key of the metadata that clients do not send',
    bites: () =>
      withBareS3({}, async ({ fake, create, patch }) => {
        const typeOf = async (key: string) => {
          const value = Buffer.from('image/png').toString('base64')
          const path = await create(5, { 'Upload-Metadata': `${key} ${value}` })
          await patch(path, 0, Buffer.from('hello'))
          return fake.objects.get(keyOf(path))?.headers['content-type']
        }
        assert.is(await typeOf('contentType'), 'image/png')
        assert.match((await typeOf('filetype')) ?? '', /octet-stream$/)
      }),
  },
} as const

/** Bytes whose blocks are of these sizes, and all different. */
function blocks(...sizes: number[]): Buffer {
  return Buffer.concat(sizes.map((size, i) => Buffer.alloc(size, i + 1)))
}

/** Sends chunks of these sizes, one after the other; the answer to the last. */
async function sendAll(bare: BareS3, path: string, sizes: readonly number[]) {
  let offset = 0
  let answer = await bare.head(path)
  for (const size of sizes) {
    answer = await bare.patch(path, offset, Buffer.alloc(size))
    offset += size
  }
  return answer
}

/** Begins a request whose body goes on after these bytes. */
async function hold(port: number, path: string, bytes: Buffer) {
  const raw = await openRaw(port)
  raw.ask('PATCH', path, {
    'Tus-Resumable': '1.0.0',
    'Upload-Offset': '0',
    'Content-Type': 'application/offset+octet-stream',
    'Content-Length': String(bytes.length + 1),
  })
  raw.write(bytes)
  return raw
}

/** Runs with a directory of its own for temporary files. */
async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const before = process.env.TMPDIR
  const directory = await mkdtemp(join(tmpdir(), 'carcosa-bare-'))
  process.env.TMPDIR = directory
  try {
    await run(directory)
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    await rm(directory, { recursive: true, force: true })
  }
}

async function sizesIn(directory: string): Promise<number[]> {
  const sizes = (await readdir(directory)).map((name) =>
    stat(join(directory, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  )
  return Promise.all(sizes)
}
