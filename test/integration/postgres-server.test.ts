import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { postgres } from '../support/postgres.ts'
import { requires } from '../support/requirements.ts'

const databases = requires('postgres', suite('the Postgres of the tests'))

databases('gives every caller an empty database of its own', async () => {
  const [one, two] = await Promise.all([postgres(), postgres()])
  await query(one.url, 'create table t ()')
  const tables = `select count(*)::int from pg_tables where schemaname = 'public'`
  assert.equal(await query(one.url, tables), [{ count: 1 }])
  assert.equal(await query(two.url, tables), [{ count: 0 }])
  await Promise.all([one.drop(), two.drop()])
})

databases('drops a database that is still in use', async () => {
  const { url, drop } = await postgres()
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  await drop()
  const answer = await query(url, 'select 1').catch((error: Error) => error.message)
  assert.match(String(answer), /does not exist/)
})

/** Imports the helper, prints the URL of a new server and lives on. */
const owner = `
  const { startPostgresServer } = await import('./postgres.ts')
  console.log((await startPostgresServer()).url)
  setInterval(() => {}, 1000)
`

databases('stops a server whose owner was killed', async () => {
  const args = ['--input-type=module', '--eval', owner]
  const child = spawn(process.execPath, args, {
    cwd: join(import.meta.dirname, '../support'),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  const url = String(line).trim()
  assert.equal(await query(url, 'select 1 as one'), [{ one: 1 }])
  child.kill('SIGKILL')
  assert.ok(await refusesSoon(url))
})

databases.run()

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Whether nothing listens there any more, within five seconds. */
async function refusesSoon(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const socket = connect(Number(port), hostname)
    const refused = await once(socket, 'connect').then(
      () => false,
      () => true,
    )
    socket.destroy()
    if (refused) return true
    await sleep(50)
  }
  return false
}
