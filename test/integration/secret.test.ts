/** Where the secret of a server is that was given none. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { file } from '../../stores/file.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

const test = suite('the secret of nodes that were given none')

let database: TestDatabase
let root: string
let count = 0
test.before.each(async () => {
  database = await postgres()
  root = mkdtempSync(join(tmpdir(), 'carcosa-secret-'))
})
test.after.each(async () => {
  await database.drop()
  rmSync(root, { recursive: true, force: true })
})

/** A node with a data directory of its own, in which there may be a secret from before. */
async function node(secret?: string): Promise<TestServer> {
  const dataDir = mkdtempSync(join(root, `${count++}-`))
  if (secret) writeFileSync(join(dataDir, 'secret'), `${secret}\n`)
  const store = file({ directory: join(root, 'files') })
  return startServer({ database: database.url, dataDir, store })
}

async function signed(at: TestServer): Promise<string> {
  const { id } = await at.carcosa.api.files.upload('hello', { route: 'private' })
  return at.carcosa.api.files.sign(id)
}

async function opens(at: TestServer, path: string): Promise<boolean> {
  const { status } = await at.doors.http({ method: 'GET', path })
  return status === 200
}

test('is one on Postgres: each opens what the other signed', async () => {
  const [one, two] = await Promise.all([node(), node()])
  assert.ok(await opens(two, await signed(one)))
  assert.ok(await opens(one, await signed(two)))
  assert.not.ok(existsSync(join(one.dataDir, 'secret')))
  await one.close()
  await two.close()
})

test('is the one that the first had before, and others go on verifying theirs', async () => {
  const one = await node('the-secret-that-was-there-before-anything')
  const two = await node('another-secret-that-was-there-before-too')
  const three = await node()
  const path = await signed(one)
  assert.ok(await opens(two, path))
  assert.ok(await opens(three, path))
  for (const each of [one, two, three]) await each.close()
})

test.run()
