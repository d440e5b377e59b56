/** S3 in trouble, and what becomes of uploads then: they go on, or are honestly gone. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { sweep } from '../../../src/uploads/sweep.ts'
import { begin, eventsOf } from '../../support/lifecycle.ts'
import { patch } from '../../support/records.ts'
import { requires } from '../../support/requirements.ts'
import {
  expectUnavailable,
  file,
  rest,
  type Scene,
  startScene,
} from '../../support/s3-scene.ts'

const MiB = 1024 ** 2

const trouble = requires('postgres', suite('an upload to an S3 in trouble'))
let scene: Scene

trouble.before(async () => {
  // Asked once, trouble shows at once.
  scene = await startScene({ maxAttempts: 1 })
})
trouble.after(() => scene?.close())
trouble.before.each(() => scene.fake.reset())

// What cannot be mended.

trouble('whose parts are aborted is gone, says so, and a new one works', async () => {
  const { fake, server } = scene
  const upload = await scene.begun(6 * MiB)
  fake.abortUpload(scene.keyOf(upload))
  await scene.expectGone(await scene.send(upload, 6 * MiB), upload)
  assert.equal(await eventsOf(server, upload), ['file.created', 'file.failed'])
  await scene.uploadWhole()
})

trouble('whose parts are aborted just before it is completed is gone, too', async () => {
  const { fake } = scene
  const upload = await scene.begun(0)
  fake.faults.before = ({ operation, key }) => {
    if (operation === 'CompleteMultipartUpload') fake.abortUpload(key)
  }
  await scene.expectGone(await scene.send(upload, 0), upload)
})

trouble(
  'whose parts are aborted when only the last step is missing is gone',
  async () => {
    const { fake } = scene
    const upload = await scene.begun(0)
    fake.faults.failComplete = 100
    expectUnavailable(await scene.send(upload, 0))
    fake.faults.failComplete = 0
    fake.abortUpload(scene.keyOf(upload))
    assert.is((await scene.ask('HEAD', upload.url)).status, 410)
    await scene.expectGone(await scene.send(upload, file.length), upload)
  },
)

trouble(
  'whose object is deleted is STORAGE_CORRUPT, and nobody hears where',
  async () => {
    const upload = await scene.uploadWhole()
    scene.fake.deleteObject(scene.keyOf(upload))
    const answer = await scene.ask('GET', `/files/${upload.id}`)
    assert.is(answer.status, 500)
    assert.is(answer.json().code, 'STORAGE_CORRUPT')
  },
)

// What passes.

interface Condition {
  set(on: boolean): unknown
  retryAfter: number
  says: RegExp
}

const fault = (
  name: 'expiredToken' | 'accessDenied' | 'bucketMissing' | 'clockSkew',
) => ({
  retryAfter: 30,
  set(on: boolean) {
    scene.fake.faults[name] = on
  },
})

const conditions: Record<string, Condition> = {
  'whose credentials expire': { ...fault('expiredToken'), says: /credentials/ },
  'whose credentials are taken away': { ...fault('accessDenied'), says: /credentials/ },
  'whose bucket is missing for a while': { ...fault('bucketMissing'), says: /bucket/ },
  'that finds the clock wrong': { ...fault('clockSkew'), says: /clock/ },
  'that asks for fewer requests': {
    set: (on) => Object.assign(scene.fake.faults, { slowDown: () => on }),
    retryAfter: 10,
    says: /fewer requests/,
  },
  'that breaks every connection': {
    set: (on) => Object.assign(scene.fake.faults, { resetMidBody: () => on }),
    retryAfter: 5,
    says: /retry/i,
  },
  'that is down': {
    set: (on) => (on ? scene.line.cut() : scene.line.mend()),
    retryAfter: 5,
    says: /retry/i,
  },
}

for (const [title, condition] of Object.entries(conditions)) {
  const { retryAfter, says } = condition
  const during = async (work: () => Promise<unknown>) => {
    await condition.set(true)
    await work().finally(() => condition.set(false))
  }

  trouble(`${title}: 503, and it goes on where it was`, async () => {
    const upload = await scene.begun(6 * MiB)
    await during(async () => {
      const refused = await scene.send(upload, 6 * MiB)
      expectUnavailable(refused, retryAfter)
      assert.match(String(refused.json().detail), says)
      scene.fake.forgetRequests()
      assert.is(await scene.offset(upload), 6 * MiB)
      assert.is(scene.fake.count(), 0, 'HEAD asks nobody')
    })
    assert.is((await scene.send(upload, 6 * MiB)).status, 204)
    await scene.expectFinished(upload)
  })

  trouble(`${title} when only the last step is missing: HEAD waits`, async () => {
    const { faults } = scene.fake
    const upload = await scene.begun(0)
    faults.before = async ({ operation }) => {
      if (operation === 'CompleteMultipartUpload') await condition.set(true)
    }
    try {
      expectUnavailable(await scene.send(upload, 0), retryAfter)
      const head = await scene.ask('HEAD', upload.url)
      assert.is(head.status, 423)
      assert.ok(Number(head.headers['retry-after']) > 0)
    } finally {
      faults.before = () => {}
      await condition.set(false)
    }
    assert.is(await scene.offset(upload), file.length)
    await scene.expectFinished(upload)
  })

  trouble(`${title}: a small file is 503, and is sent again`, async () => {
    const upload = await begin(scene.server, 'demo', { length: 10 })
    await during(async () => {
      expectUnavailable(await scene.send(upload, 0, 'ten bytes!'), retryAfter)
      assert.is(await scene.offset(upload), 0)
    })
    assert.is((await scene.send(upload, 0, 'ten bytes!')).status, 204)
  })

  trouble(`${title}: a file cannot be read, and can be read again`, async () => {
    const upload = await scene.uploadWhole()
    await during(async () => {
      const answer = await scene.ask('GET', `/files/${upload.id}`)
      expectUnavailable(answer, retryAfter)
    })
    await scene.expectFinished(upload)
  })

  trouble(`${title}: an upload is deleted, its bytes later`, async () => {
    const upload = await scene.begun(6 * MiB)
    await during(async () => {
      assert.is((await scene.ask('DELETE', upload.url)).status, 204)
      assert.is((await scene.ask('HEAD', upload.url)).status, 410)
      assert.is(scene.fake.uploads.size, 1)
    })
    await sweep(scene.server.uploads)
    assert.is(scene.fake.uploads.size, 0)
    assert.is(await scene.pieces(upload), 0)
  })
}

// At the start.

trouble(
  'whose bucket is missing at the start is a mistake of configuration',
  async () => {
    scene.fake.faults.bucketMissing = true
    const error = await scene.start().then(
      () => assert.unreachable('it started'),
      (error: unknown) => error,
    )
    assert.ok(error instanceof CarcosaError)
    assert.is(error.code, 'CONFIG_INVALID')
    assert.match(error.message, /bucket does not exist/)
  },
)

trouble('that is down at the start may come back', async () => {
  await scene.line.cut()
  const late = await scene.start().finally(() => scene.line.mend())
  const { url } = await begin(late, 'demo', { length: file.length })
  const sent = await patch(late.doors.http, url, rest(0))
  assert.is(sent.status, 204, sent.text)
  await late.close()
})

trouble.run()
