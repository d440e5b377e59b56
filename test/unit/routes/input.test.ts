import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { parseInput } from '../../../src/routes/input.ts'
import { route } from '../../../src/routes/route.ts'
import { createRouter } from '../../../src/routes/router.ts'
import type { StandardSchemaV1 } from '../../../src/routes/standard-schema.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'

const named = (schema: StandardSchemaV1) =>
  createRouter({ a: route(['image']).input(schema as StandardSchemaV1<string>) }).routes.a

const refusal = async (schema: StandardSchemaV1, input: unknown) => {
  try {
    await parseInput(named(schema), input)
  } catch (error) {
    assert.instance(error, CarcosaError)
    return error as CarcosaError
  }
  throw new Error('the input was accepted')
}

test('input comes out as the schema makes it, defaults and transforms included', async () => {
  const schema = z.object({ n: z.coerce.number(), tag: z.string().default('none') })
  assert.equal(await parseInput(named(schema), { n: '5', more: 1 }), {
    n: 5,
    tag: 'none',
  })
})

test('a schema may take its time', async () => {
  const schema = z.string().refine(async (text) => text === 'yes')
  assert.is(await parseInput(named(schema), 'yes'), 'yes')
  assert.is((await refusal(schema, 'no')).code, 'INPUT_INVALID')
})

test('a route without a schema takes no input, whatever came', async () => {
  const { a } = createRouter({ a: route(['image']) }).routes
  assert.is(await parseInput(a, { any: 'thing' }), undefined)
})

test('input that is missing is judged by the schema', async () => {
  assert.is((await refusal(z.object({}), undefined)).code, 'INPUT_INVALID')
  assert.is(await parseInput(named(z.string().optional()), undefined), undefined)
})

test('a refusal tells every issue with its path', async () => {
  const schema = z.object({
    user: z.object({ age: z.number() }),
    tags: z.array(z.string()),
  })
  const error = await refusal(schema, { user: { age: 'x' }, tags: ['a', 1] })
  assert.is(error.code, 'INPUT_INVALID')
  assert.is(error.details?.route, 'a')
  const issues = error.details?.issues as { path: string; message: string }[]
  assert.equal(
    issues.map((issue) => issue.path),
    ['user.age', 'tags.1'],
  )
  assert.match(error.message, 'user.age: ')
})

test('a refusal stays short however much is wrong', async () => {
  const input = Array.from({ length: 500 }, () => 1)
  const error = await refusal(z.array(z.string()), input)
  const issues = error.details?.issues as unknown[]
  assert.is(issues.length, 20)
  assert.match(error.message, 'and 480 more')
})

test('paths may be objects with a key, as Standard Schema allows', async () => {
  const schema: StandardSchemaV1 = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => ({ issues: [{ message: 'no', path: [{ key: 'a' }, 0] }] }),
    },
  }
  assert.equal((await refusal(schema, 1)).details?.issues, [
    { path: 'a.0', message: 'no' },
  ])
})

test('what the schema throws is its own bug and passes through', async () => {
  const bug = new Error('bug')
  const schema: StandardSchemaV1 = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => {
        throw bug
      },
    },
  }
  try {
    await parseInput(named(schema), 1)
    throw new Error('the input was accepted')
  } catch (error) {
    assert.is(error, bug)
  }
})

test.run()
