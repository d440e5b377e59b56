import * as assert from 'uvu/assert'
import {
  type DirectUpload,
  memoryStorage,
  type UploadStorage,
} from '../../client/index.ts'
import {
  assertHolds,
  content,
  type DirectContext,
  directClient,
  directSuite,
  fileOf,
  interruptedDirectly,
  small,
  watch,
} from '../support/client-direct.ts'

const test = directSuite('the client where bytes cannot go straight to the store')

for (const [why, name, bytes] of [
  ['the route does not allow it', 'ordinary', content],
  ['the file is empty', 'demo', Buffer.alloc(0)],
] as const) {
  test(`says nothing where ${why}`, async (context) => {
    const upload = directClient(context).create<typeof name>(name, [fileOf(bytes)])
    const seen = watch(upload)
    await upload.done
    assert.is(context.front.seen.length, 0)
    assert.is(context.passed.bytes, bytes.length)
    assert.equal(seen.warnings(), [])
    assertHolds(context, bytes)
  })
}

for (const [what, fault, told] of [
  ['refuses a part', { status: 403, code: 'AccessDenied' }, /403 \(AccessDenied\)/],
  ['does not know the upload', { status: 404, code: 'NoSuchUpload' }, /NoSuchUpload/],
  ['hides the ETag', { hideETag: true }, /add "ETag" to ExposeHeaders in the CORS/],
] as const) {
  test(`sends all to the server when the store ${what}`, async (context) => {
    context.front.fault = ({ partNumber }) => (partNumber === 3 ? fault : undefined)
    const upload = directClient(context).create('demo', [fileOf()])
    const seen = watch(upload)
    const { files } = await upload.done
    assert.is(files[0]?.serverData.got, content.length)
    assertFellBack(context, seen, told)
    const prepared = context.passed.requests.filter((name) => name === 'POST prepare')
    assert.is(prepared.length, 1, 'it is the same upload')
    assertHolds(context)
  })
}

test('sends all to the server when the store is out of reach', async (context) => {
  context.front.fault = () => ({ cut: true })
  const upload = directClient(context).create('demo', [fileOf(small)])
  const seen = watch(upload)
  await upload.done
  assert.is(context.front.seen.length, 5)
  assertFellBack(context, seen, /out of reach.*CORS/)
  assertHolds(context, small)
})

test('does not ask the store after a reload when the URLs have expired', async (context) => {
  const storage = await interruptedStorage(context)
  const aged = changed(storage, (direct) => ({ ...direct, expiresAt: Date.now() - 1 }))
  const upload = directClient(context, { storage: aged }).create('demo', [fileOf()])
  const seen = watch(upload)
  await upload.done
  assert.is(context.front.seen.length, 0)
  assertFellBack(context, seen, /expired/)
  assertHolds(context)
})

test('believes the store when it says that the URLs have expired', async (context) => {
  const storage = await interruptedStorage(context)
  const expired = (part: DirectUpload['parts'][number]) => {
    const url = part.url.replace(/(X-Amz-Expires)=\d+/, '$1=-1')
    return { ...part, url }
  }
  const aged = changed(storage, (direct) => ({
    ...direct,
    parts: direct.parts.map(expired),
  }))
  const upload = directClient(context, { storage: aged }).create('demo', [fileOf()])
  const seen = watch(upload)
  await upload.done
  assert.ok(context.front.seen.some(({ status }) => status === 403))
  assertFellBack(context, seen, /403 \(AccessDenied\)/)
  assertHolds(context)
})

test('only finishes after a reload when all parts had arrived', async (context) => {
  const memory = memoryStorage()
  // Nothing is forgotten, as when the page is closed while the server finishes.
  const storage = { ...memory, remove: async () => {} }
  await directClient(context, { storage }).upload('demo', [fileOf()])
  context.front.reset()
  const aged = changed(storage, (direct) => ({ ...direct, expiresAt: Date.now() - 1 }))
  const upload = directClient(context, { storage: aged }).create('demo', [fileOf()])
  const seen = watch(upload)
  const { files } = await upload.done
  assert.is(files[0]?.serverData.got, content.length)
  assert.is(context.front.seen.length, 0)
  assert.equal(seen.warnings(), [])
  assert.is(context.passed.bytes, 0)
})

test('remembers that the bytes go to the server', async (context) => {
  const storage = memoryStorage()
  context.front.fault = () => ({ hideETag: true })
  const upload = directClient(context, { storage }).create('demo', [fileOf()])
  await new Promise<void>((resolve) => {
    upload.subscribe((event) => event.type === 'warning' && resolve())
  })
  upload.pause()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const [entry] = await storage.list()
  assert.ok(entry)
  assert.is(entry?.direct, undefined)
  context.front.reset()
  await directClient(context, { storage }).upload('demo', [fileOf()])
  assert.is(context.front.seen.length, 0)
  assertHolds(context)
})

test('begins anew, and directly, when the upload is gone', async (context) => {
  const storage = await interruptedStorage(context)
  const [entry] = await storage.list()
  const headers = { 'tus-resumable': '1.0.0', 'upload-ticket': entry?.ticket ?? '' }
  const answer = await fetch(entry?.url ?? '', { method: 'DELETE', headers })
  assert.is(answer.status, 204)
  const upload = directClient(context, { storage }).create('demo', [fileOf()])
  const seen = watch(upload)
  await upload.done
  assert.is(seen.count('restart'), 1)
  assert.is(context.passed.bytes, 0)
  assertHolds(context)
})

/** What is remembered of an upload of which two parts have arrived. */
async function interruptedStorage(context: DirectContext): Promise<UploadStorage> {
  const storage = memoryStorage()
  const { upload } = await interruptedDirectly(context, { storage })
  upload.pause()
  return storage
}

/** A storage that tells something else of direct uploads than it was told. */
function changed(
  storage: UploadStorage,
  change: (direct: DirectUpload) => DirectUpload,
): UploadStorage {
  return {
    ...storage,
    async get(key) {
      const upload = await storage.get(key)
      return upload?.direct ? { ...upload, direct: change(upload.direct) } : upload
    },
  }
}

/** Why was told once, and every byte passed the server once. */
function assertFellBack(
  { passed, fake }: DirectContext,
  seen: Pick<ReturnType<typeof watch>, 'warnings' | 'count'>,
  told: RegExp,
) {
  const [warning] = seen.warnings()
  assert.is(seen.warnings().length, 1)
  assert.is(warning?.code, 'DIRECT_FAILED')
  assert.match(warning?.message ?? '', told)
  assert.not.match(warning?.message ?? '', 'X-Amz')
  assert.is(seen.count('restart'), 0)
  const [object] = fake.objects.values()
  assert.is(passed.bytes, object?.size)
}

test.run()
