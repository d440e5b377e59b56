/** The clustered example as processes: behind nginx, two nodes are one server. */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { command, directory, run } from '../support/command.ts'
import { examine } from '../support/doctor.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { requires } from '../support/requirements.ts'
import { startTopology, type Topology } from '../support/topology.ts'

const cluster = requires('nginx', suite('the topology of examples/deploy'))
let database: TestDatabase
let topology: Topology
let header: string[]

cluster.before(async () => {
  database = await postgres()
  topology = await startTopology({ database: database.url })
  header = ['--header', `Authorization: Bearer ${topology.token}`]
})
cluster.after(async () => {
  await topology.stop()
  await database.drop()
})

cluster('the doctor finds nothing wrong through nginx', async () => {
  const { wrong, code, report } = await examine(topology.url, ...header)
  assert.equal(wrong, [])
  assert.is(code, 0)
  assert.is(report.route, 'doctor')
})

cluster(
  'an upload through nginx goes on by the other node when one is killed',
  async () => {
    const cwd = directory()
    const bytes = randomBytes(192 * 1024 * 1024)
    writeFileSync(join(cwd, 'large.bin'), bytes)
    const to = ['--route', 'files', '--to', topology.url, ...header]
    const upload = command(['upload', 'large.bin', '--json', '--no-resume', ...to], {
      cwd,
    })
    await upload.printed(/large\.bin: [1-9]0 %/)
    // Whichever of them has it: the other one takes over, first this way, then that.
    for (const node of topology.nodes) {
      node.process.child.kill('SIGKILL')
      await sleep(300)
      await node.restart()
    }
    const { code, out, err } = await upload.ended
    assert.is(code, 0, err)
    const { sha256, status } = JSON.parse(out)
    assert.is(status, 'uploaded')
    assert.is(sha256, createHash('sha256').update(bytes).digest('hex'))
  },
)

cluster('a file is found while one node is gone', async () => {
  const cwd = directory({ 'small.txt': 'along the shore the cloud waves break' })
  const to = ['--route', 'files', '--to', topology.url, ...header]
  const { out } = await run(['upload', 'small.txt', '--json', '--no-resume', ...to], {
    cwd,
  })
  const { url } = JSON.parse(out)
  for (const node of topology.nodes) {
    node.process.child.kill('SIGKILL')
    await node.process.ended
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => fetch(new URL(url, topology.url))),
    )
    for (const answer of answers) {
      assert.is(await answer.text(), 'along the shore the cloud waves break')
    }
    await node.restart()
  }
})

cluster.run()

const script = requires('nginx', suite('examples/deploy/local.ts'))

script('starts all of it, says where it is, and ends all of it', async () => {
  const database = await postgres()
  const path = join(import.meta.dirname, '../../examples/deploy/local.ts')
  const child = spawn(process.execPath, [path], {
    env: { ...process.env, DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const said = await new Promise<string>((resolve) => {
    let text = ''
    child.stdout.on('data', (more) => {
      text += more
      if (/carcosa upload .*\n/.test(text)) resolve(text)
    })
  })
  const [, url = ''] = /is behind (http\S+)/.exec(said) ?? []
  const nodes = [...said.matchAll(/node-\d +(http\S+)/g)].map(([, at = '']) => at)
  assert.is(nodes.length, 2)
  for (const at of [url, ...nodes]) assert.is((await fetch(`${at}/healthz`)).status, 200)
  child.kill('SIGINT')
  assert.equal(await ended, [0, null])
  for (const at of [url, ...nodes]) {
    assert.ok(
      await fetch(`${at}/healthz`).then(
        () => false,
        () => true,
      ),
      at,
    )
  }
  await database.drop()
})

script.run()
