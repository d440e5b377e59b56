/** SEC-29: how long a refusal takes says nothing of how much of a guess was right. */
import { crc32 } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiKeys } from '../../../src/auth/api-keys.ts'
import { createKeyCheck } from '../../../src/auth/key-check.ts'
import { prefixOf } from '../../../src/auth/key-format.ts'
import type { AuthProvider } from '../../../src/auth/principal.ts'
import { silentLogger } from '../../../src/shared/logger.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('SEC-29: the timing of keys')
let server: TestServer
let provider: AuthProvider
let close: () => Promise<void>

test.before(async () => {
  server = await startServer({ auth: [apiKeys()] })
  const { db, channel } = server.uploads
  const check = createKeyCheck({ db, channel, log: silentLogger })
  provider = apiKeys().connect?.(check) ?? apiKeys()
  close = check.close
})
test.after(async () => {
  await close()
  await server.close()
})

const runs = 1_000
/** Checks of one run: a difference of nanoseconds must not drown in the clock. */
const checks = 50

test('a guess that is wrong in its first character takes as long as one wrong in its last', async () => {
  const { token } = await server.carcosa.api.keys.create({ name: 'a' })
  const from = token.lastIndexOf('_') + 1
  const guesses = [guess(token, from), guess(token, token.length - 7)]
  const requests = guesses.map((one) => ({
    method: 'GET',
    url: '/',
    headers: new Headers({ Authorization: `Bearer ${one}` }),
  }))
  const samples: [number[], number[]] = [[], []]
  const take = async (which: 0 | 1) => {
    const request = requests[which]
    if (!request) return
    const start = performance.now()
    for (let i = 0; i < checks; i++) await refusal(request)
    samples[which].push((performance.now() - start) / checks)
  }
  for (let i = -100; i < runs; i++) {
    // In an order that nothing else follows.
    const first = Math.random() < 0.5 ? 0 : 1
    await take(first)
    await take(first === 0 ? 1 : 0)
    // The first ones are compiled while they run.
    if (i < 0) for (const one of samples) one.length = 0
  }
  const t = separation(samples)
  assert.ok(Math.abs(t) < 4.5, `t = ${t}: the means can be told apart`)
})

/** Another token with the same prefix and a checksum that fits, wrong at one place. */
function guess(token: string, at: number): string {
  const body = token.slice(0, -6)
  const wrong = body.slice(0, at) + (body[at] === 'A' ? 'B' : 'A') + body.slice(at + 1)
  return wrong + checksumFor(wrong)
}

/** As CONTRIBUTING and key-format.ts tell it: a CRC-32 in base 62. */
function checksumFor(body: string): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let rest = crc32(body)
  let text = ''
  for (let i = 0; i < 6; i++) {
    text = alphabet.charAt(rest % 62) + text
    rest = Math.floor(rest / 62)
  }
  assert.ok(prefixOf(body + text), 'the checksum does not fit')
  return text
}

async function refusal(request: Parameters<AuthProvider['authenticate']>[0]) {
  try {
    await provider.authenticate(request)
  } catch {
    return
  }
  throw new Error('a wrong key was let in')
}

/**
 * Student's t of the differences within each run, without the tenth of them that lies furthest out:
 * what else the machine did.
 */
function separation([first, last]: readonly [number[], number[]]): number {
  const all = first.map((x, i) => x - (last[i] ?? 0)).toSorted((x, y) => x - y)
  const cut = Math.floor(all.length / 20)
  const kept = all.slice(cut, all.length - cut)
  const mean = kept.reduce((sum, x) => sum + x, 0) / kept.length
  const variance = kept.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (kept.length - 1)
  return mean / Math.sqrt(variance / kept.length)
}

test.run()
