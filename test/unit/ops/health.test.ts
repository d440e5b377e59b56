import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Check, createHealth } from '../../../src/ops/health.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'
import type { LogFields } from '../../../src/shared/logger.ts'

const test = suite('health')

function subject(probe: Check['probe'], limits: Partial<Check> = {}) {
  const lines: string[] = []
  const line = (level: string) => (_: LogFields, message: string) =>
    void lines.push(`${level}: ${message}`)
  let draining = false
  const ask = createHealth({
    checks: [{ name: 'it', timeoutMs: 1_000, keepMs: 1_000, ...limits, probe }],
    isDraining: () => draining,
    log: {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
    },
  })
  const drain = () => {
    draining = true
  }
  return { ask, lines, drain }
}

test('is ready when every check passes, with what they tell', async () => {
  const { ask } = subject(async () => ({ worker: true }))
  assert.equal(await ask(), {
    status: 'ready',
    failing: [],
    checks: { it: { ok: true, worker: true }, draining: { ok: true } },
  })
})

test('names what failed by its code, and nothing of what it says', async () => {
  const { ask } = subject(async () => {
    throw new CarcosaError('STORAGE_UNAVAILABLE', { message: 'bucket secret-1' })
  })
  assert.equal(await ask(), {
    status: 'unready',
    failing: ['it'],
    checks: { it: { ok: false, code: 'STORAGE_UNAVAILABLE' }, draining: { ok: true } },
  })
})

test('of a foreign error tells nothing', async () => {
  const { ask } = subject(() => {
    throw new Error('connect ECONNREFUSED 10.0.0.7:5432')
  })
  assert.equal((await ask()).checks.it, { ok: false, code: 'UNAVAILABLE' })
})

test('asks once, however many want to know, and again when that is old', async () => {
  let asked = 0
  const { ask } = subject(
    async () => {
      asked++
      await sleep(20)
      return {}
    },
    { keepMs: 100 },
  )
  await Promise.all(Array.from({ length: 50 }, ask))
  await ask()
  assert.is(asked, 1)
  await sleep(150)
  await ask()
  assert.is(asked, 2)
})

test('does not wait for what hangs, does not ask it again, and hears when it ends', async () => {
  let asked = 0
  const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>()
  const { ask } = subject(
    () => {
      asked++
      return promise
    },
    { timeoutMs: 50 },
  )
  for (let i = 0; i < 3; i++) assert.is((await ask()).status, 'unready')
  assert.is(asked, 1)
  resolve({})
  await sleep(1)
  assert.is((await ask()).status, 'ready')
})

test('a failure is logged once, and so is its end', async () => {
  let fails = true
  const { ask, lines } = subject(
    async () => {
      if (fails) throw new Error('down')
      return {}
    },
    { keepMs: 1 },
  )
  for (let i = 0; i < 3; i++) {
    await ask()
    await sleep(5)
  }
  assert.equal(lines, ['warn: not ready'])
  fails = false
  await ask()
  assert.equal(lines, ['warn: not ready', 'info: ready again'])
})

test('while it drains it is not ready and asks nobody', async () => {
  let asked = 0
  const { ask, drain } = subject(async () => {
    asked++
    return {}
  })
  drain()
  const { status, failing } = await ask()
  assert.is(status, 'unready')
  assert.equal(failing, ['draining'])
  assert.is(asked, 0)
})

test.run()
