/** `durability: 'disk'`: what is synced, when, and what happens if that fails. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../../src/shared/errors.ts'
import { file } from '../../../../stores/file.ts'
import { byteSource } from '../../../support/byte-source.ts'
import { growing } from '../../../support/growing.ts'
import { failing, replaceKernel, restoreKernel } from '../../../support/kernel.ts'
import { requires } from '../../../support/requirements.ts'

const MiB = 1024 * 1024
const key = 'K0123456789abcdef'

const test = suite('stores/file: durability')
const base = mkdtempSync(join(tmpdir(), 'carcosa-disk-'))
test.after(() => rmSync(base, { recursive: true }))
test.after.each(restoreKernel)

let stores = 0
async function started(durability?: 'disk') {
  const directory = join(base, String(stores++), 'files')
  const store = file({ directory, ...(durability && { durability }) })
  await store.start()
  return { store, directory, path: join(directory, 'K', key) }
}

type Synced = { how: 'fdatasync' | 'fsync'; inode: number; size: number }

/** Notes every sync, and waits before each as a slow disk would. */
function watchSyncs(delayMs = 0): Synced[] {
  const synced: Synced[] = []
  for (const how of ['fdatasync', 'fsync'] as const) {
    replaceKernel(how, (original) => (fd: number, done: () => void) => {
      const { ino: inode, size } = fstatSync(fd)
      const finished = (error: Error | null) => {
        if (!error) synced.push({ how, inode, size })
        done()
      }
      setTimeout(() => original(fd, finished), delayMs)
    })
  }
  return synced
}

const inodeOf = (path: string) => statSync(path).ino

test('without it nothing is ever synced', async () => {
  const synced = watchSyncs()
  const { store } = await started()
  await store.write(growing(key), byteSource('hello'))
  await store.complete(growing(key, 5), 5)
  await store.put('K-put', Buffer.from('hello'), {})
  await store.copy?.('K-put', 'K-copy')
  await store.remove(key)
  assert.equal(synced, [])
})

test('with it the file, its name and the names above it are on disk when a write ends', async () => {
  const synced = watchSyncs()
  const { store, directory, path } = await started('disk')
  await store.write(growing(key), byteSource('hello'))
  const inodes = synced.map(({ how, inode }) => `${how} ${inode}`)
  const places = [base, dirname(directory), directory, dirname(path)]
  for (const place of places) {
    assert.ok(inodes.includes(`fsync ${inodeOf(place)}`), `${place} was synced`)
  }
  const wanted = { how: 'fdatasync', inode: inodeOf(path), size: 5 } as const
  assert.ok(synced.some((one) => one.inode === wanted.inode && one.size === wanted.size))
})

test('the name of a file is synced once, by the write that makes it', async () => {
  const { store, path } = await started('disk')
  await store.write(growing(key), byteSource('hello'))
  const synced = watchSyncs()
  await store.write(growing(key, 5), byteSource(' world'))
  await store.complete(growing(key, 11), 11)
  assert.equal(synced, [{ how: 'fdatasync', inode: inodeOf(path), size: 11 }])
})

test('of an empty file the name is synced', async () => {
  const { store, path } = await started('disk')
  const synced = watchSyncs()
  await store.write(growing(key), byteSource([]))
  assert.ok(
    synced.some(({ how, inode }) => how === 'fsync' && inode === inodeOf(dirname(path))),
  )
})

test('every offset that is told was synced before', async () => {
  const { store, path } = await started('disk')
  const synced = watchSyncs(20)
  const stream = new PassThrough()
  const source = byteSource(stream)
  const told: [offset: number, onDisk: number][] = []
  const writing = store.write(growing(key), {
    ...source,
    onStored({ offset }) {
      const sizes = synced.filter(({ inode }) => inode === inodeOf(path))
      told.push([offset, Math.max(0, ...sizes.map(({ size }) => size))])
    },
  })
  for (let i = 0; i < 120; i++) {
    stream.write(Buffer.alloc(64 * 1024, i))
    await sleep(5)
  }
  stream.end()
  assert.is(await writing, 120 * 64 * 1024)
  assert.ok(told.length > 1, 'it is told while bytes come in')
  for (const [offset, onDisk] of told) assert.ok(offset <= onDisk, `${offset} ${onDisk}`)
  assert.is(told.at(-1)?.[0], 120 * 64 * 1024)
})

test('a stalled client’s bytes are synced and told without waiting for more', async () => {
  const { store } = await started('disk')
  const stream = new PassThrough()
  const source = byteSource(stream)
  const writing = store.write(growing(key), source)
  stream.write('hello')
  for (let i = 0; i < 200 && source.stored.length === 0; i++) await sleep(10)
  assert.equal(source.stored, [5])
  stream.end()
  assert.is(await writing, 5)
  assert.equal(source.stored, [5], 'nothing is synced twice')
})

test('there are four syncs a second and one at the end, not one for each batch', async () => {
  const { store } = await started('disk')
  const synced = watchSyncs()
  const chunks = Array.from({ length: 64 }, () => Buffer.alloc(MiB))
  const began = Date.now()
  await store.write(growing(key), byteSource(chunks))
  const most = 2 + Math.ceil((Date.now() - began) / 250)
  const count = synced.filter(({ how }) => how === 'fdatasync').length
  assert.ok(count >= 1 && count <= most, `${count} syncs, ${most} allowed`)
})

test('what was never told is not counted after a crash: it may have holes', async () => {
  const { store, path } = await started('disk')
  await store.write(growing(key), byteSource('hello'))
  appendFileSync(path, '\0\0\0\0')
  assert.equal(await store.offset?.(growing(key, 5)), { offset: 5 })
  assert.equal(await store.offset?.(growing(key, 7)), { offset: 7 })
  writeFileSync(path, 'hel')
  assert.equal(await store.offset?.(growing(key, 5)), { offset: 3 })
})

test('what another process wrote is synced before it is complete', async () => {
  const { store, path } = await started('disk')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, 'hello')
  const synced = watchSyncs()
  await store.complete(growing(key, 5), 5)
  assert.equal(
    synced.map(({ inode }) => inode),
    [inodeOf(path), inodeOf(dirname(path))],
  )
})

for (const [code, told] of [
  ['EIO', 'STORAGE_UNAVAILABLE'],
  ['ENOSPC', 'STORAGE_FULL'],
] as const) {
  test(`a sync that fails with ${code} is ${told}, and nothing is told`, async () => {
    const { store, path } = await started('disk')
    await store.write(growing(key), byteSource('hello'))
    replaceKernel('fdatasync', () => failing(code))
    const source = byteSource(' world')
    assert.is(await codeOf(store.write(growing(key, 5), source)), told)
    assert.equal(source.stored, [])
    assert.equal(await store.offset?.(growing(key, 5)), { offset: 5 })
    restoreKernel()
    assert.is(await store.write(growing(key, 5), byteSource(' again')), 11)
    assert.is(readFileSync(path, 'utf8'), 'hello again')
  })
}

test('a sync that fails in the middle ends the write at once, with no descriptor in use', async () => {
  const { store } = await started('disk')
  replaceKernel('fdatasync', () => failing('EIO'))
  let produced = 0
  const endless = new Readable({
    read() {
      produced++
      setTimeout(() => this.push(Buffer.alloc(64 * 1024)), 1)
    },
  })
  const source = byteSource(endless)
  assert.is(await codeOf(store.write(growing(key), source)), 'STORAGE_UNAVAILABLE')
  assert.equal(source.stored, [])
  const before = produced
  await sleep(30)
  assert.ok(produced - before < 5, 'no more is read')
  endless.destroy()
})

test('a directory that cannot be synced fails the write that made the file', async () => {
  const { store } = await started('disk')
  replaceKernel('fsync', () => failing('EIO'))
  const source = byteSource('hello')
  assert.is(await codeOf(store.write(growing(key), source)), 'STORAGE_UNAVAILABLE')
  assert.equal(source.stored, [])
})

test('a file system that cannot sync directories is used all the same', async () => {
  replaceKernel('fsync', () => failing('EINVAL'))
  const { store } = await started('disk')
  assert.is(await store.write(growing(key), byteSource('hello')), 5)
})

test('what is put, copied and removed is on disk, too', async () => {
  const { store, directory } = await started('disk')
  await store.put('K-other', Buffer.from('other'), {})
  const shard = join(directory, 'K')
  const synced = watchSyncs()
  const since = () => {
    const list = synced.map(({ how, inode, size }) =>
      how === 'fsync' ? { how, inode } : { how, inode, size },
    )
    synced.length = 0
    return list
  }
  await store.put(key, Buffer.from('hello'), {})
  const name = { how: 'fsync', inode: inodeOf(shard) }
  const put = { how: 'fdatasync', inode: inodeOf(join(shard, key)), size: 5 }
  assert.equal(since(), [put, name], 'the bytes before the name')
  await store.copy?.(key, 'K-copy')
  const copied = { how: 'fdatasync', inode: inodeOf(join(shard, 'K-copy')), size: 5 }
  assert.equal(since(), [copied, name])
  await store.remove(key)
  assert.equal(since(), [name])
})

test('a put that cannot be synced leaves nothing', async () => {
  const { store, directory } = await started('disk')
  replaceKernel('fdatasync', () => failing('EIO'))
  const put = store.put(key, Buffer.from('hello'), {})
  assert.is(await codeOf(put), 'STORAGE_UNAVAILABLE')
  assert.is(await store.stat(key), null)
  assert.equal(readdirSync(directory, { recursive: true }), ['~aside'])
})

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}

test.run()

const full = requires('tmpfs', suite('stores/file: durability on a full disk'))
const mount = mkdtempSync(join(tmpdir(), 'carcosa-full-'))
full.before(() => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mount])
})
full.after(() => {
  execFileSync('umount', [mount])
  rmSync(mount, { recursive: true })
})

full(
  'a disk that fills up is STORAGE_FULL, and what was told can be resumed',
  async () => {
    const store = file({ directory: join(mount, 'files'), durability: 'disk' })
    await store.start()
    writeFileSync(join(mount, 'filler'), Buffer.alloc(2 * MiB))
    const bytes = Buffer.alloc(3 * MiB, 'carcosa')
    const source = byteSource(
      Array.from({ length: 48 }, (_, i) => bytes.subarray(i * 65_536, (i + 1) * 65_536)),
    )
    assert.is(await codeOf(store.write(growing(key), source)), 'STORAGE_FULL')
    const told = source.stored.at(-1) ?? 0
    assert.ok(told > 0 && told < 2 * MiB, `${told} bytes were told`)
    assert.equal(await store.offset?.(growing(key, told)), { offset: told })
    assert.is(await codeOf(store.put('K-put', bytes, {})), 'STORAGE_FULL')
    assert.is(await store.stat('K-put'), null)

    rmSync(join(mount, 'filler'))
    const rest = byteSource(bytes.subarray(told))
    assert.is(await store.write(growing(key, told), rest), bytes.length)
    assert.ok(readFileSync(join(mount, 'files/K', key)).equals(bytes))
  },
)

full.run()
