import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = join(import.meta.dirname, '../../..')
const fixtures = join(root, 'test/fixtures/runner')

/** What the runner makes of each fixture: its last line, and what else it must say. */
const verdicts: [fixture: string, last: string, says: RegExp][] = [
  ['passes', '2 passed, 0 failed', /passes\.test\.ts {2}2 passed/],
  ['/fails', '1 passed, 1 failed', /does not hold[\s\S]*strictly equal/],
  ['crashes', '0 passed, 1 failed', /exit code 1 before[\s\S]*crashed while loading/],
  ['leaves-early', '0 passed, 1 failed', /before its tests were done/],
  ['never-runs', '0 passed, 1 failed', /ran no test: does it end with test\.run\(\)/],
  ['empty', '0 passed, 1 failed', /ran no test/],
  ['hook-throws', '0 passed, 1 failed', /did not run every test: a hook threw/],
  ['late-error', '1 passed, 1 failed', /though its tests passed[\s\S]*nobody waited/],
  ['hangs', '0 passed, 1 failed', /timed out after \d+ s/],
  ['leaves-child', '1 passed, 0 failed', /1 passed/],
  ['focused', '1 passed, 0 failed, 1 skipped', /focused\S+ \(1 test\): \.skip or \.only/],
  [
    'needs-a-part',
    '1 passed, 0 failed, 2 skipped',
    /^skipped: unobtainium \(2 tests\): look behind the mountains$/m,
  ],
  ['environment', '1 passed, 0 failed', /1 passed/],
]

const runner = suite('test/run.ts')

for (const [fixture, last, says] of verdicts) {
  runner(`judges the fixture "${fixture}" as ${last}`, async () => {
    const { code, output } = await run([fixture])
    assert.match(output, says)
    assert.is(output.trimEnd().split('\n').at(-1), last)
    assert.is(code, last.includes(' 0 failed') ? 0 : 1)
  })
}

runner('adds up several files and prints every failure in full', async () => {
  const { output } = await run(['passes', '/fails', 'crashes'])
  assert.match(output, /does not hold[\s\S]*\n3 passed, 2 failed\n$/)
  assert.match(output, /crashed while loading/)
})

runner('fails tests that lack a part when every part is required', async () => {
  const { code, output } = await run(['needs-a-part'], { CARCOSA_TEST_REQUIRE: 'all' })
  assert.match(output, /needs unobtainium, which is missing: look behind/)
  assert.match(output, /\n1 passed, 2 failed\n$/)
  assert.is(code, 1)
})

runner('refuses .skip and .only when every part is required', async () => {
  const { output } = await run(['focused'], { CARCOSA_TEST_REQUIRE: 'all' })
  assert.match(output, /leaves out tests by \.skip or \.only: 1/)
  assert.match(output, /\n1 passed, 1 failed, 1 skipped\n$/)
})

runner('fails when a filter fits no file', async () => {
  const { code, output } = await run(['no-such-file'])
  assert.match(output, /No test file matches no-such-file/)
  assert.is(code, 1)
})

for (const fixture of ['hangs', 'leaves-child']) {
  runner(`kills what the fixture "${fixture}" started`, async () => {
    await withPidFile(async (pidFile) => {
      await run([fixture], { CARCOSA_TEST_PID_FILE: pidFile })
      assert.ok(await isGone(pidFile))
    })
  })
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  runner(`ends on ${signal} and takes everything it started with it`, async () => {
    await withPidFile(async (pidFile) => {
      const child = start(['hangs', '--timeout=60'], { CARCOSA_TEST_PID_FILE: pidFile })
      const exited = once(child, 'exit')
      while (!existsSync(pidFile)) await sleep(20)
      child.kill(signal)
      const [code] = await exited
      assert.is(code, signal === 'SIGINT' ? 130 : 143)
      assert.ok(await isGone(pidFile))
    })
  })
}

runner.run()

function start(args: readonly string[], env: Record<string, string>) {
  return spawn(process.execPath, ['test/run.ts', '--in', fixtures, ...args], {
    cwd: root,
    env: {
      ...process.env,
      CARCOSA_TEST_REQUIRE: '',
      CARCOSA_TEST_POSTGRES: 'postgres://unused',
      CARCOSA_SECRET: 'must not reach a test',
      DATABASE_URL: 'must not reach a test',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function run(filters: readonly string[], env: Record<string, string> = {}) {
  const child = start(
    [`--timeout=${filters.includes('hangs') ? 2 : 60}`, ...filters],
    env,
  )
  const exited = once(child, 'exit')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await exited
  return { code, output: stdout + stderr }
}

async function withPidFile(work: (pidFile: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'carcosa-runner-'))
  try {
    await work(join(directory, 'pid'))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Whether the process is gone within a second; one that waits to be reaped is gone too. */
async function isGone(pidFile: string): Promise<boolean> {
  const pid = Number(readFileSync(pidFile, 'utf8'))
  for (let attempt = 0; attempt < 50; attempt += 1) {
    if (!isAlive(pid)) return true
    await sleep(20)
  }
  return false
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const stat = `/proc/${pid}/stat`
  return !existsSync(stat) || !readFileSync(stat, 'utf8').includes(') Z ')
}
