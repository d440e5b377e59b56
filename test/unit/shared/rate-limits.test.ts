import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  defaultRateLimits,
  parseRateLimits,
  parseRateLimitText,
  rulesIn,
} from '../../../src/shared/rate-limits.ts'

const usual = { points: 6_000, per: 60_000 }
const often = { points: 3_000, per: 60_000 }
const ten = { points: 10, per: '2m' } as const
const tenParsed = { points: 10, per: 120_000 }

const test = suite('the option rateLimits')

test('what is not named stays as it is by default', () => {
  assert.equal(defaultRateLimits, {
    create: { address: usual, principal: usual, project: false },
    prepare: { address: usual, principal: usual, project: false },
    auth: {
      address: { points: 100, per: 60_000 },
      account: { points: 20, per: 900_000 },
    },
    read: { address: false },
    api: { address: often, principal: often, project: false },
    store: 'shared',
  })
  const { create, ...others } = parseRateLimits({ create: { project: ten } })
  assert.equal(create, { address: usual, principal: usual, project: tenParsed })
  assert.equal(others.auth, defaultRateLimits.auth)
})

test('prepare is as create, unless it has limits of its own', () => {
  assert.equal(parseRateLimits({ create: ten }).prepare, {
    address: tenParsed,
    principal: tenParsed,
    project: false,
  })
  assert.equal(parseRateLimits({ create: false }).prepare.principal, false)
  const own = parseRateLimits({ create: ten, prepare: false })
  assert.equal([rulesIn(own.create).length, rulesIn(own.prepare).length], [2, 0])
})

test('false is none at all', () => {
  const { store, ...operations } = parseRateLimits(false)
  assert.equal(Object.values(operations).flatMap(rulesIn), [])
})

test('is as good an option as the one it was made from', () => {
  for (const options of [{}, { create: ten, read: ten }, { auth: false }, false]) {
    const once = parseRateLimits(options)
    assert.equal(parseRateLimits(once), once)
  }
})

const texts: [text: string, same: unknown][] = [
  ['off', false],
  ['create=10/2m', { create: ten }],
  [' create=10/2m , read=10/120s', { create: ten, read: ten }],
  ['auth=off,store=memory', { auth: false, store: 'memory' }],
  [
    'create.project=10/2m,create.address=off',
    { create: { project: ten, address: false } },
  ],
]
for (const [text, same] of texts) {
  test(`as text: ${text}`, () => {
    assert.equal(parseRateLimitText(text), parseRateLimits(same))
  })
}

for (const text of [
  ...['', 'on', 'create', 'create=', 'create=10', 'create=ten/1m', 'create=10/1'],
  ...['create=0/1m', 'create=1.5/1m', 'create=10/100ms', 'create=10/1500ms'],
  ...['create=10/25d', 'delete=10/1m', 'auth.principal=10/1m', 'create.planet=1/1m'],
  ...['create=1/1m,create=2/1m', 'create=1/1m,create.address=2/1m', 'store=disk'],
]) {
  test(`is refused as text: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseRateLimitText(text), TypeError as never)
  })
}

for (const options of [
  ...[null, true, [], 'off', { create: 5 }, { create: true }, { create: { points: 5 } }],
  ...[
    { create: { points: 5, per: '1m', burst: 3 } },
    { create: { points: '5', per: '1m' } },
  ],
  ...[{ creat: ten }, { read: { principal: ten } }, { store: 'redis' }],
]) {
  test(`is refused: ${JSON.stringify(options)}`, () => {
    assert.throws(() => parseRateLimits(options), TypeError as never)
  })
}

test.run()
