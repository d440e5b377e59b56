/** What goes wrong between us and S3 once or twice, of which a client notices nothing. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { begin } from '../../support/lifecycle.ts'
import { offsetOf, patch } from '../../support/records.ts'
import { requires } from '../../support/requirements.ts'
import { noFaults, type S3Faults } from '../../support/s3/faults.ts'
import {
  expectUnavailable,
  file,
  rest,
  type Scene,
  startScene,
} from '../../support/s3-scene.ts'

const MiB = 1024 ** 2

const repeats = requires('postgres', suite('an upload to S3'))
let scene: Scene

repeats.before(async () => {
  scene = await startScene()
})
repeats.after(() => scene?.close())
repeats.before.each(() => scene.fake.reset())

repeats('whose answer of Complete is lost is complete', async () => {
  let lost = 0
  scene.fake.faults.resetAfter = (operation) =>
    operation === 'CompleteMultipartUpload' && ++lost === 1
  await scene.uploadWhole()
  assert.is(lost, 2)
})

repeats('of which all answers of Complete are lost is complete', async () => {
  scene.fake.faults.resetAfter = (operation) => operation === 'CompleteMultipartUpload'
  await scene.uploadWhole()
})

repeats('whose Complete fails once is complete', async () => {
  scene.fake.faults.failComplete = 1
  await scene.uploadWhole()
})

repeats('whose Complete fails although it made the object is complete', async () => {
  scene.fake.faults.completeErrorsButExists = 10
  await scene.uploadWhole()
})

repeats('is not given up if nobody can say what became of it', async () => {
  const { faults, abortUpload } = scene.fake
  const upload = await scene.begun(0)
  faults.completeErrorsButExists = 10
  faults.slowDown = (operation) => operation === 'HeadObject'
  expectUnavailable(await scene.send(upload, 0))
  // Now Complete says NoSuchUpload, which is how it speaks of one that it made.
  abortUpload(scene.keyOf(upload))
  assert.is((await scene.ask('HEAD', upload.url)).status, 423)
  faults.slowDown = () => false
  assert.is(await scene.offset(upload), file.length)
  await scene.expectFinished(upload)
})

repeats('whose answers of Create are lost leaves only what is collected', async () => {
  let lost = 0
  scene.fake.faults.resetAfter = (operation) =>
    operation === 'CreateMultipartUpload' && ++lost <= 2
  await scene.uploadWhole()
  assert.is(scene.fake.uploads.size, 2)
})

repeats('of which each part fails three times is complete', async () => {
  scene.fake.faults.failPart = (_number, attempt) => (attempt <= 3 ? 500 : null)
  await scene.uploadWhole()
})

repeats('of which every other answer for a part is lost is complete', async () => {
  let lost = 0
  scene.fake.faults.resetAfter = (operation) =>
    operation === 'UploadPart' && ++lost % 2 === 1
  await scene.uploadWhole()
})

repeats('whose first bytes cannot be read again is judged later', async () => {
  const { fake, line, server } = scene
  const upload = await scene.begun(6 * MiB)
  // Another process, which has not seen them.
  const other = await scene.start({ database: server.database })
  const { http } = other.doors
  try {
    fake.faults.before = ({ operation }) => {
      if (operation === 'GetObject') line.breakAfter(1_000)
    }
    expectUnavailable(await patch(http, upload.url, rest(6 * MiB)))
    const head = await http({ method: 'HEAD', path: upload.url })
    assert.is(head.status, 423)
    fake.faults.before = () => {}
    line.breakAfter(null)
    assert.is(await offsetOf(http, upload.url), file.length)
  } finally {
    line.breakAfter(null)
    await other.close()
  }
  await scene.expectFinished(upload)
})

repeats('whose bytes break off half way to a reader does not end well', async () => {
  const { fake, line } = scene
  const upload = await scene.uploadWhole()
  fake.faults.before = ({ operation }) => {
    if (operation === 'GetObject') line.breakAfter(5 * MiB)
  }
  const outcome = await scene.ask('GET', `/files/${upload.id}`).then(
    ({ bytes }) => `an answer of ${bytes.length} bytes`,
    (error: Error) => error.message,
  )
  line.breakAfter(null)
  assert.match(outcome, /aborted|hang up|ECONNRESET/)
})

// A body of a request is read from disk while it is sent. An answer may come before all is.

const refusals: Record<string, () => Partial<S3Faults>> = {
  'for good': () => ({
    before({ operation }) {
      scene.fake.faults.accessDenied = operation === 'UploadPart'
    },
  }),
  'for now': () => ({ slowDown: (operation) => operation === 'UploadPart' }),
}

for (const [title, faults] of Object.entries(refusals)) {
  repeats(
    `of which parts are refused ${title} while they are read from disk`,
    async () => {
      const { fake } = scene
      const onDisk = await scene.start({ staging: { memory: 0, disk: 32 * MiB } })
      const { http } = onDisk.doors
      try {
        const uploads = await Promise.all(
          Array.from({ length: 8 }, () => begin(onDisk, 'demo', { length: file.length })),
        )
        Object.assign(fake.faults, faults())
        const sent = uploads.map(({ url }) => patch(http, url, rest(0)))
        for (const answer of await Promise.all(sent)) expectUnavailable(answer)
        Object.assign(fake.faults, noFaults())
        for (const { url } of uploads) {
          const { status, text } = await patch(http, url, rest(0))
          assert.is(status, 204, text)
        }
        assert.is(fake.objects.size, uploads.length)
        for (const { bytes } of fake.objects.values()) assert.ok(bytes.equals(file))
      } finally {
        await onDisk.close()
      }
    },
  )
}

repeats.run()
