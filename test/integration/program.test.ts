import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Program, startProgram } from '../support/program.ts'

const programs = suite('a program of the tests')

/** A Node process that answers with its directory and process id. */
const echo: Program = {
  path: process.execPath,
  args: ({ port, directory }) => ['--eval', serving(port, directory)],
  ready: (endpoint) => fetch(endpoint),
}

programs('has a directory that goes with it', async () => {
  const { endpoint, stop } = await startProgram(echo)
  const { directory, pid } = await (await fetch(endpoint)).json()
  assert.equal(readdirSync(directory), [])
  await stop()
  assert.not.ok(existsSync(directory))
  assert.not.ok(isAlive(pid))
})

programs('is waited for no longer than it lives, and says why it ended', async () => {
  const broken = { ...echo, args: () => ['--eval', 'throw new Error("no such disk")'] }
  const error = await startProgram(broken).catch((error: unknown) => error)
  assert.match(String(error), /does not serve: [\s\S]*no such disk/)
})

/** Starts one, prints what it answers and lives on. */
const owner = `
  const { startProgram } = await import('./program.ts')
  const { endpoint } = await startProgram({
    path: process.execPath,
    args: ({ port, directory }) => ['--eval', (${serving})(port, directory)],
    ready: (endpoint) => fetch(endpoint),
  })
  console.log(await (await fetch(endpoint)).text())
  setInterval(() => {}, 1000)
`

programs('ends with its owner, also if that was killed', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', owner], {
    cwd: join(import.meta.dirname, '../support'),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  const { directory, pid } = JSON.parse(String(line))
  assert.ok(directory.startsWith(tmpdir()) && isAlive(pid))
  child.kill('SIGKILL')
  const isGone = () => !isAlive(pid) && !existsSync(directory)
  for (let attempt = 0; attempt < 100 && !isGone(); attempt += 1) await sleep(50)
  assert.ok(isGone())
})

programs.run()

function serving(port: number, directory: string): string {
  const answer = `JSON.stringify({ directory: ${JSON.stringify(directory)}, pid: process.pid })`
  return `require('http').createServer((_, response) => response.end(${answer})).listen(${port}, '127.0.0.1')`
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
