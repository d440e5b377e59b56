import { inspect } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectError, parseUrl } from '../../../src/db/postgres-target.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'

const target = suite('db/postgres-target')

target('reads where a URL leads, and not the password', () => {
  assert.equal(parseUrl('postgres://ann:secret@db.test:5433/media?sslmode=disable'), {
    host: 'db.test',
    port: 5433,
    user: 'ann',
    database: 'media',
  })
})

const malformed: [title: string, url: string][] = [
  ['a port that is a word', 'postgres://ann:hunter2@host:port/db'],
  ['a port out of range', 'postgres://ann:hunter2@host:99999/db'],
  ['an unescaped slash and hash in the password', 'postgres://ann:hunter2/#@host/db'],
]

for (const [title, url] of malformed) {
  target(`refuses ${title} without repeating the password`, () => {
    const error = thrown(() => parseUrl(url))
    assert.is(error.code, 'CONFIG_INVALID')
    assert.match(error.message, 'postgres://user:password@host:5432/database')
    assert.not.match(inspect(error, { depth: 10, showHidden: true }), 'hunter2')
  })
}

const refusals: [code: string, expected: string, advice: RegExp][] = [
  ['28P01', 'CONFIG_INVALID', /Correct user and password/],
  ['28000', 'CONFIG_INVALID', /pg_hba/],
  ['3D000', 'CONFIG_INVALID', /createdb media/],
  ['42501', 'CONFIG_INVALID', /GRANT CONNECT ON DATABASE "media" TO "ann"/],
  ['53300', 'DATABASE_UNAVAILABLE', /takes no connections/],
  ['57P03', 'DATABASE_UNAVAILABLE', /takes no connections/],
  ['ECONNREFUSED', 'DATABASE_UNAVAILABLE', /Start it/],
  ['ENOTFOUND', 'DATABASE_UNAVAILABLE', /correct host and port/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'CONFIG_INVALID', /sslmode/],
]

for (const [code, expected, advice] of refusals) {
  target(`says what to do about ${code}`, () => {
    const place = { host: 'db.test', port: 5432, user: 'ann', database: 'media' }
    const message = code.includes('CERT') ? 'self-signed certificate' : 'refused'
    const cause = Object.assign(new Error(message), { code })
    const error = connectError(cause, place)
    assert.is(error.code, expected)
    assert.match(error.message, advice)
    assert.is(error.cause, cause)
  })
}

target.run()

function thrown(run: () => unknown): CarcosaError {
  try {
    run()
  } catch (error) {
    if (error instanceof CarcosaError) return error
    throw error
  }
  throw new Error('Nothing was thrown.')
}
