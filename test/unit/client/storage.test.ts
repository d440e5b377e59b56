import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fileStorage } from '../../../client/node.ts'
import {
  memoryStorage,
  type StoredUpload,
  type UploadStorage,
  webStorage,
} from '../../../client/storage.ts'

const now = Date.now()
const day = 24 * 3600_000
const upload: StoredUpload = {
  url: 'https://example.com/media/uploads/demo/1',
  ticket: 'secret',
  route: 'demo',
  name: 'a.bin',
  size: 3,
  createdAt: now,
  expiresAt: now + day,
}

/** As much of the browser's localStorage as is used. */
class FakeLocalStorage implements Storage {
  readonly items = new Map<string, string>()
  full = false
  get length() {
    return this.items.size
  }
  key(index: number) {
    return [...this.items.keys()][index] ?? null
  }
  getItem(key: string) {
    return this.items.get(key) ?? null
  }
  setItem(key: string, value: string) {
    if (this.full) throw new DOMException('full', 'QuotaExceededError')
    this.items.set(key, value)
  }
  removeItem(key: string) {
    this.items.delete(key)
  }
  clear() {
    this.items.clear()
  }
}

const directory = await mkdtemp(join(tmpdir(), 'carcosa-storage-'))
const implementations: [name: string, make: () => UploadStorage][] = [
  ['memoryStorage', memoryStorage],
  ['webStorage', () => webStorage(new FakeLocalStorage())],
  ['fileStorage', () => fileStorage(join(directory, `${Math.random()}`))],
]
for (const [name, make] of implementations) {
  const test = suite(name)

  test('keeps, replaces, lists and removes', async () => {
    const storage = make()
    assert.is(await storage.get('k'), null)
    assert.equal(await storage.list(), [])
    await storage.set('k', upload)
    await storage.set('["other","key"]', { ...upload, name: 'b.bin' })
    await storage.set('k', { ...upload, size: 4 })
    assert.equal(await storage.get('k'), { ...upload, size: 4 })
    const names = (await storage.list()).map((entry) => entry.name)
    assert.equal(names.sort(), ['a.bin', 'b.bin'])
    await storage.remove('k')
    await storage.remove('k')
    assert.is(await storage.get('k'), null)
    assert.is((await storage.list()).length, 1)
  })

  test.run()
}

const web = suite('webStorage')
const junk = [
  '',
  '{',
  '1',
  'null',
  '{}',
  '{"url":"x"}',
  '{"url":"https://a.b","size":"1"}',
]

for (const text of junk) {
  web(`takes ${JSON.stringify(text)} for nothing, and sweeps it`, async () => {
    const local = new FakeLocalStorage()
    const storage = webStorage(local)
    local.setItem('carcosa:upload:k', text)
    assert.is(await storage.get('k'), null)
    assert.equal(await storage.list(), [])
    webStorage(local)
    assert.is(local.length, 0)
  })
}

web('sweeps what is long gone and leaves the rest, and what is not its own', async () => {
  const local = new FakeLocalStorage()
  const storage = webStorage(local)
  await storage.set('gone', { ...upload, expiresAt: now - 8 * day })
  await storage.set('just expired', { ...upload, expiresAt: now - day })
  await storage.set('old', { ...upload, expiresAt: null, createdAt: now - 31 * day })
  local.setItem('theirs', 'x')
  const after = webStorage(local)
  assert.is((await after.list()).length, 1)
  assert.ok(await after.get('just expired'))
  assert.is(local.getItem('theirs'), 'x')
})

web('a full storage forgets, and does not throw', async () => {
  const local = new FakeLocalStorage()
  local.full = true
  const storage = webStorage(local)
  await storage.set('k', upload)
  assert.is(await storage.get('k'), null)
})

web.run()

const files = suite('fileStorage')

files('is readable by its owner only, and leaves no drafts', async () => {
  const path = join(directory, 'private')
  await fileStorage(path).set('k', upload)
  const [name = ''] = await readdir(path)
  assert.is((await readdir(path)).length, 1)
  assert.is((await stat(join(path, name))).mode & 0o777, 0o600)
  assert.is((await stat(path)).mode & 0o777, 0o700)
})

files('takes a damaged entry for nothing', async () => {
  const path = join(directory, 'damaged')
  const storage = fileStorage(path)
  await storage.set('k', upload)
  const [name = ''] = await readdir(path)
  await writeFile(join(path, name), '{"url":')
  assert.is(await storage.get('k'), null)
  assert.equal(await storage.list(), [])
  assert.equal(await readdir(path), [], 'and removes it')
})

files('many writers at once leave one whole entry', async () => {
  const storage = fileStorage(join(directory, 'crowd'))
  const sizes = Array.from({ length: 50 }, (_, size) => size)
  await Promise.all(sizes.map((size) => storage.set('k', { ...upload, size })))
  const kept = await storage.get('k')
  assert.ok(kept && sizes.includes(kept.size))
  assert.is((await readdir(join(directory, 'crowd'))).length, 1)
})

files('a directory that cannot be made is an error', async () => {
  const file = join(directory, 'file')
  await writeFile(file, '')
  await chmod(file, 0o600)
  const error = await fileStorage(join(file, 'below'))
    .set('k', upload)
    .catch((reason) => reason)
  assert.is(error.code, 'ENOTDIR')
})

files.after(() => rm(directory, { recursive: true, force: true }))
files.run()
