import assert from 'node:assert/strict'
import type { Store } from '../store.ts'
import { repeatable, requireAbsent, requireContent, requireSame } from './bytes.ts'
import {
  type Define,
  failureOf,
  key,
  otherKey,
  requireRefusal,
  type Sizes,
} from './subject.ts'

/** `copy`, for stores that have it. */
export function copying(test: Define, { large }: Sizes): void {
  test('a copy has the same bytes, and a life of its own', async ({ store }) => {
    for (const size of [0, 5, large]) {
      await store.put(key, repeatable(size), {})
      await store.copy?.(key, otherKey)
      await requireContent(store, key, repeatable(size))
      await store.remove(key)
      await requireContent(store, otherKey, repeatable(size))
    }
  })

  test('of what does not exist there is no copy', async ({ store }) => {
    await failureOf(Promise.resolve(store.copy?.(key, otherKey)))
    await requireAbsent(store, otherKey)
  })
}

/** `keyFor`, for stores that have it. */
export function naming(test: Define): void {
  test('a key contains the id, and nothing a key may not contain', async ({ store }) => {
    const id = 'file_0123456789abcdef'
    for (const filename of [
      null,
      'a.txt',
      '../../etc/passwd',
      'ünï\0cödé',
      'x'.repeat(600),
    ]) {
      const about = { id, route: 'demo', projectId: 'default', ownerId: 'me@x', filename }
      const made = store.keyFor?.(about) ?? ''
      assert.ok(made.includes(id), made)
      assert.match(made, /^[A-Za-z0-9!\-_.*'()/]{1,512}$/)
      await store.put(made, Buffer.from('hello'), {})
      await requireContent(store, made, 'hello')
    }
  })
}

const grant = {
  expiresIn: 60_000,
  contentType: 'text/x-carcosa',
  contentDisposition: 'attachment; filename="lake of hali.txt"',
  cacheControl: 'private, max-age=17',
}

/** `signedUrl`, for stores that have it. */
export function signing(test: Define, { large }: Sizes): void {
  test('whoever has a signed URL reads the object as granted', async ({ store }) => {
    await store.put(key, repeatable(large), { contentType: 'text/plain' })
    const url = (await store.signedUrl?.(key, grant)) ?? ''
    // Not every store is reached by HTTP: then there is nobody to ask.
    if (!/^https?:/.test(url)) return
    const answer = await fetch(url)
    assert.equal(answer.status, 200, url)
    requireSame(Buffer.from(await answer.arrayBuffer()), repeatable(large))
    assert.equal(answer.headers.get('content-type'), grant.contentType)
    assert.equal(answer.headers.get('content-disposition'), grant.contentDisposition)
    assert.equal(answer.headers.get('cache-control'), grant.cacheControl)
    const part = await fetch(url, { headers: { Range: 'bytes=10-19' } })
    assert.equal(part.status, 206)
    requireSame(Buffer.from(await part.arrayBuffer()), repeatable(large).subarray(10, 20))
  })
}

/** `direct`, for stores that have it. */
export function direct(test: Define, { large }: Sizes): void {
  for (const size of [1, large]) {
    test(`${size} bytes go from the client to the store`, async ({ store }) => {
      const { memo, receipts } = await sendDirectly(store, repeatable(size))
      await store.direct?.finish(key, memo, receipts)
      await store.direct?.finish(key, memo, receipts)
      await requireContent(store, key, repeatable(size))
    })
  }

  test('what was not sent whole is incomplete, and can still be sent', async ({
    store,
  }) => {
    const bytes = repeatable(large)
    const sent = await sendDirectly(store, bytes)
    const { memo, receipts } = sent
    const { finish } = store.direct ?? {}
    for (const wrong of [
      receipts.slice(0, -1),
      receipts.slice(1),
      receipts.with(0, '"00000000000000000000000000000000"'),
      [],
    ]) {
      await requireRefusal(
        Promise.resolve(finish?.(key, memo, wrong)),
        'UPLOAD_INCOMPLETE',
      )
      await requireAbsent(store, key)
    }
    await finish?.(key, memo, receipts)
    await requireContent(store, key, bytes)
  })

  test('what nobody sent is incomplete, and is removed like any other', async ({
    store,
  }) => {
    const begun = await begin(store, large)
    const finish = store.direct?.finish(
      key,
      begun.memo,
      begun.parts.map(() => '"x"'),
    )
    await requireRefusal(Promise.resolve(finish), 'UPLOAD_INCOMPLETE')
    await store.remove(key, begun.memo)
    await requireAbsent(store, key)
  })
}

/** Begins an object; what is to be remembered comes back from JSON. */
async function begin(store: Store, size: number) {
  const info = { contentType: 'text/plain' }
  const begun = await store.direct?.begin(key, size, { info, expiresIn: 60_000 })
  assert.ok(begun)
  const sum = begun.parts.reduce((sum, part) => sum + part.size, 0)
  assert.equal(sum, size, 'the parts are the object')
  return { parts: begun.parts, memo: JSON.parse(JSON.stringify(begun.memo)) }
}

/** Does what a client does. */
async function sendDirectly(store: Store, bytes: Buffer) {
  const { memo, parts } = await begin(store, bytes.length)
  const receipts: string[] = []
  let at = 0
  for (const { url, size, headers } of parts) {
    const body = new Uint8Array(bytes.subarray(at, at + size))
    const answer = await fetch(url, { method: 'PUT', headers, body })
    assert.ok(answer.ok, `PUT of a part: ${answer.status} ${await answer.text()}`)
    receipts.push(answer.headers.get('etag') ?? '')
    at += size
  }
  return { memo, receipts }
}
