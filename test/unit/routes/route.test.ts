import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isRoute, route } from '../../../src/routes/route.ts'

/** A caller without a compiler. */
const untyped = route as unknown as (
  config: unknown,
  options?: unknown,
) => Record<string, (argument?: unknown) => never>

test('the steps of a route fill the definition and leave the earlier builder as it was', () => {
  const schema = z.object({ a: z.string() })
  const middleware = () => ({ b: 1 })
  const complete = () => ({ c: 1 })
  const failed = () => {}
  const first = route(['image'])
  const last = first
    .expiresIn('2 days')
    .rateLimit({ points: 50, per: '1m' })
    .public()
    .input(schema)
    .middleware(middleware)
    .store('fast')
    .mirror('safe')
    .serve('redirect')
    .direct()
    .onUploadError(failed)
    .onUploadComplete(complete)
  assert.is(first.definition.isPublic, false)
  assert.is(first.definition.inputSchema, null)
  const { types, ...rest } = last.definition
  assert.equal(rest, {
    awaitServerData: true,
    ticketTTL: 3_600_000,
    trustedType: 'detected',
    isPublic: true,
    expiresIn: 172_800_000,
    rateLimit: {
      address: { points: 50, per: 60_000 },
      principal: { points: 50, per: 60_000 },
      project: false,
    },
    store: 'fast',
    mirror: 'safe',
    serve: 'redirect',
    isDirect: true,
    inputSchema: schema,
    middleware,
    onUploadComplete: complete,
    onUploadError: failed,
  })
})

test('the steps of a route cannot change what is frozen', () => {
  const made = route({ image: { additionalProperties: { width: 1 } } })
  const image = made.definition.types.image
  for (const part of [made, made.definition, made.definition.types, image]) {
    assert.ok(Object.isFrozen(part))
  }
  assert.ok(Object.isFrozen(image?.additionalProperties))
})

test('the steps of a route need no last one: every builder is a route', () => {
  assert.ok(isRoute(route(['image'])))
  assert.ok(isRoute(route(['image']).public()))
  assert.not(isRoute({ definition: route(['image']).definition }))
  assert.not(isRoute(null))
})

const fn = () => ({})
const once: [string, unknown][] = [
  ['input', z.string()],
  ['public', undefined],
  ['middleware', fn],
  ['store', 'a'],
  ['store', fn],
  ['mirror', 'a'],
  ['serve', 'proxy'],
  ['expiresIn', '1h'],
  ['rateLimit', false],
  ['onUploadComplete', fn],
  ['onUploadError', fn],
]
for (const [name, argument] of once) {
  test(`the steps of a route refuse a second .${name}(${argument ? typeof argument : ''})`, () => {
    const builder: Record<string, (argument?: unknown) => unknown> = untyped(['image'])
    const after = builder[name]?.(argument) as typeof builder
    assert.throws(
      () => after[name]?.(argument),
      (error: unknown) =>
        error instanceof TypeError && error.message.includes(`.${name}() is already set`),
    )
  })
}

const late: [earlier: string, argument: unknown, name: string, late: unknown][] = [
  ['middleware', fn, 'input', z.string()],
  ['middleware', fn, 'public', undefined],
  ['store', fn, 'input', z.string()],
  ['store', fn, 'middleware', fn],
  ['onUploadComplete', fn, 'middleware', fn],
  ['onUploadError', fn, 'middleware', fn],
  ['onUploadComplete', fn, 'public', undefined],
]
for (const [earlier, argument, name, value] of late) {
  test(`the steps of a route refuse .${name}() after the function of .${earlier}()`, () => {
    const builder: Record<string, (argument?: unknown) => unknown> = untyped(['image'])
    const after = builder[earlier]?.(argument) as typeof builder
    assert.throws(
      () => after[name]?.(value),
      (error: unknown) =>
        error instanceof TypeError &&
        error.message.includes(`.${name}() must come before .${earlier}()`),
    )
  })
}

test('the steps of a route may come after a store that is only named', () => {
  const { definition } = route(['image']).store('a').public().middleware(fn)
  assert.is(definition.store, 'a')
  assert.is(definition.isPublic, true)
})

const wrong: [string, unknown, string][] = [
  ['input', { parse: fn }, 'Standard Schema'],
  ['input', undefined, 'Standard Schema'],
  ['middleware', {}, 'a function'],
  ['onUploadComplete', null, 'a function'],
  ['onUploadError', 'x', 'a function'],
  ['store', '', 'name of a store'],
  ['store', 5, 'name of a store'],
  ['mirror', '', 'name of a store'],
  ['serve', 'cdn', '"redirect"'],
  ['serve', undefined, '"redirect"'],
  ['mirror', fn, 'name of a store'],
  ['expiresIn', '1 month', '1 month'],
  ['expiresIn', 0, 'more than 0'],
  ['expiresIn', undefined, 'undefined'],
  ['rateLimit', undefined, 'points: 50'],
  ['rateLimit', { points: 0, per: '1m' }, 'a whole number above 0'],
  ['rateLimit', { points: 5, per: '1' }, 'per: '],
  ['rateLimit', { user: { points: 5, per: '1m' } }, 'user is none of'],
]
for (const [name, argument, says] of wrong) {
  test(`the steps of a route refuse .${name}(${JSON.stringify(argument)})`, () => {
    assert.throws(
      () => untyped(['image'])[name]?.(argument),
      (error: unknown) => {
        assert.instance(error, TypeError)
        assert.match((error as Error).message, `.${name}()`)
        assert.match((error as Error).message, says)
        return true
      },
    )
  })
}

test.run()
