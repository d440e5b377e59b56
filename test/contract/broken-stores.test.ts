/** A store that breaks the contract in one point fails the tests that say so. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { memory } from '../../stores/memory.ts'
import { s3 } from '../../stores/s3.ts'
import type { Store } from '../../stores/store.ts'
import { type StoreTests, testStore } from '../../stores/testing.ts'
import { partService, partStore } from '../support/part-store.ts'
import { startS3Fake } from '../support/s3-fake.ts'
import { broken } from './broken/break.ts'
import { brokenParts, partSize } from './broken/parts.ts'
import { brokenReading } from './broken/reading.ts'
import { brokenSharing } from './broken/sharing.ts'
import { brokenStoring } from './broken/storing.ts'
import { brokenWriting } from './broken/writing.ts'

const fake = await startS3Fake()
let places = 0

const inMemory = { create: () => memory(), options: { large: 150_000, listed: 4 } }
const inParts = {
  create: () => partStore(partService(), { partSize }),
  options: { partSize },
}
const leastPart = 5 * 1024 * 1024
const byHttp = {
  create: storeOfFake,
  options: { partSize: leastPart, large: 5_500_000 },
}

const tests = suite('a store that breaks the contract')
tests.after(() => fake.close())

for (const [name, contract] of Object.entries({ inMemory, inParts, byHttp })) {
  tests(`${name}: no test fails before something is broken`, async () => {
    assert.equal(await failuresOf(contract), [])
  })
}

for (const [what, noticed, change] of [
  ...brokenWriting,
  ...brokenStoring,
  ...brokenReading,
]) {
  tests(what, async () => {
    const create = () => broken(inMemory.create(), change)
    await requireNoticed({ ...inMemory, create }, noticed)
  })
}

tests('objects that only one instance knows', async () => {
  const create = () => ({ store: memory(), reopen: memory })
  await requireNoticed({ ...inMemory, create }, /by another process/)
})

for (const capabilities of [['offset', 'list', 'copy', 'direct'], ['offset']] as const) {
  tests(`other capabilities than ${capabilities.join(', ')}`, async () => {
    const options = { ...inMemory.options, capabilities }
    await requireNoticed({ ...inMemory, options }, /expected of it/)
  })
}

for (const [what, noticed, change] of brokenParts) {
  tests(what, async () => {
    const create = () => broken(inParts.create(), change)
    await requireNoticed({ ...inParts, create }, noticed)
  })
}

for (const [what, noticed, change] of brokenSharing) {
  tests(what, async () => {
    const create = () => broken(byHttp.create(), change)
    await requireNoticed({ ...byHttp, create }, noticed)
  })
}

tests.run()

function storeOfFake(): Store {
  const { endpoint, bucket } = fake
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  const place = { endpoint, bucket, prefix: `${places++}/`, forcePathStyle: true }
  return s3({ ...place, credentials, partSize: leastPart })
}

type Contract = Pick<StoreTests, 'create' | 'options'>

/** One of the contract tests named so must fail. */
async function requireNoticed(contract: Contract, noticed: RegExp): Promise<void> {
  const failed = await failuresOf(contract, noticed)
  assert.ok(failed.length > 0, `no test that is named ${noticed} failed`)
}

/** The titles of the contract tests that fail, of those that are named so. */
async function failuresOf(contract: Contract, named = /./): Promise<string[]> {
  const found: { title: string; run: () => Promise<void> }[] = []
  testStore({ ...contract, test: (title, run) => found.push({ title, run }) })
  const chosen = found.filter(({ title }) => named.test(title))
  assert.ok(chosen.length > 0, `no test is named ${named}`)
  const failed: string[] = []
  for (const { title, run } of chosen) {
    const outcome = await Promise.race([run(), tooLate()]).catch((error) => `${error}`)
    if (outcome) failed.push(`${title}: ${outcome}`)
  }
  return failed
}

/** A store that waits for ever is broken, too. */
function tooLate(): Promise<string> {
  return sleep(2_000, 'too late', { ref: false })
}
