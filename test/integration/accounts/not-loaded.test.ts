import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import { postgres } from '../../support/postgres.ts'

const test = suite('what a host with people of its own loads')
const run = promisify(execFile)
const dataDir = mkdtempSync(join(tmpdir(), 'carcosa-test-'))
test.after(() => rmSync(dataDir, { recursive: true, force: true }))
const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The modules of better-auth that a program has loaded which starts a Carcosa. */
async function loaded(accounts: string): Promise<number> {
  const database = await postgres()
  const program = `
import { registerHooks } from 'node:module'
let found = 0
registerHooks({
  load(url, context, next) {
    if (url.includes('better-auth')) found++
    return next(url, context)
  },
})
const { createCarcosa, createRouter, route } = await import('carcosa')
const carcosa = await createCarcosa({
  router: createRouter({ demo: route({ blob: { maxFileSize: '1MB' } }) }),
  database: '${database.url}', dataDir: '${dataDir}', worker: false, accounts: ${accounts},
})
await carcosa.fetch(new Request('http://localhost/auth/session'))
await carcosa.api.users.list()
await carcosa.close()
console.log(found)
`
  const args = ['--input-type=module', '--eval', program]
  const { stdout } = await run(process.execPath, args, { cwd: root })
  await database.drop()
  return Number(stdout)
}

test('nothing of better-auth', async () => {
  assert.equal(await loaded('false'), 0)
})

test('and with accounts all of it', async () => {
  assert.ok((await loaded('true')) > 10)
})

test.run()
