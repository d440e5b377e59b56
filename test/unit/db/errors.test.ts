import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  isTransient,
  isUniqueViolation,
  toDatabaseError,
} from '../../../src/db/errors.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'

const errors = suite('db/errors')

const passing: [title: string, error: unknown][] = [
  ['a refused connection', withCode('ECONNREFUSED')],
  ['a reset connection', withCode('ECONNRESET')],
  ['a name that cannot be resolved', withCode('EAI_AGAIN')],
  ['a server that shuts down', withCode('57P01')],
  ['a server that starts', withCode('57P03')],
  ['too many connections', withCode('53300')],
  ['a broken connection', withCode('08006')],
  ['a failover to a standby', withCode('25006')],
  ['a connection that ended', new Error('Connection terminated unexpectedly')],
  ['an exhausted pool', new Error('timeout exceeded when trying to connect')],
  ['a statement without an answer', new Error('Query read timeout')],
  ["Prisma's words for no server", withCode('P1001')],
  ['a cause further down', new Error('x', { cause: withCode('ECONNRESET') })],
  [
    "the driver's error inside of Prisma's",
    Object.assign(new Error('x'), {
      code: 'P2010',
      meta: { driverAdapterError: { cause: { originalCode: '57P01' } } },
    }),
  ],
]

for (const [title, error] of passing) {
  errors(`takes ${title} for something that passes`, () => {
    const converted = toDatabaseError(error)
    assert.instance(converted, CarcosaError)
    assert.is((converted as CarcosaError).code, 'DATABASE_UNAVAILABLE')
    assert.is((converted as CarcosaError).headers['Retry-After'], '1')
    assert.is((converted as CarcosaError).cause, error)
  })
}

const lasting: [title: string, error: unknown][] = [
  ['a syntax error', withCode('42601')],
  ['a duplicate key', withCode('23505')],
  ['a missing table', withCode('42P01')],
  ['any other error', new Error('Connection, what connection?')],
  ['undefined', undefined],
  ['a string', 'ECONNRESET'],
]

for (const [title, error] of lasting) {
  errors(`leaves ${title} as it is`, () => {
    assert.not(isTransient(error))
    assert.is(toDatabaseError(error), error)
  })
}

errors('tells a full disk from a database that is away', () => {
  const converted = toDatabaseError(withCode('53100'))
  assert.instance(converted, CarcosaError)
  assert.is((converted as CarcosaError).code, 'STORAGE_FULL')
})

errors('ends on an error that causes itself', () => {
  const error = new Error('x')
  error.cause = error
  assert.not(isTransient(error))
})

errors('tells one unique constraint from another', () => {
  const error = Object.assign(withCode('23505'), { constraint: 'file_pkey' })
  assert.ok(isUniqueViolation(error))
  assert.ok(isUniqueViolation(error, 'file_pkey'))
  assert.not(isUniqueViolation(error, 'event_pkey'))
  assert.not(isUniqueViolation(withCode('23503')))
})

errors.run()

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code })
}
