import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createLogger, type LogOptions } from '../../../src/ops/log.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'

function logged(
  fields: Record<string, unknown>,
  options: Partial<LogOptions> = {},
): string {
  const lines: string[] = []
  const output = { write: (line: string) => lines.push(line) }
  createLogger({ level: 'debug', ...options, output }).info(fields, 'It happened')
  return lines.join('')
}

const test = suite('the log')

test('writes one JSON object per line with level, time and message', () => {
  const line = logged({ id: 'x', text: 'two\nlines' })
  assert.is(line.indexOf('\n'), line.length - 1)
  const { time, ...rest } = JSON.parse(line)
  assert.equal(rest, { level: 'info', msg: 'It happened', id: 'x', text: 'two\nlines' })
  assert.is(new Date(time).toISOString(), time)
})

test('writes one readable line for a terminal', () => {
  const line = logged({ port: 1, path: 'a b', id: 'x' }, { pretty: true })
  assert.match(line, /^\d\d:\d\d:\d\d info {2}It happened port=1 path="a b" id=x\n$/)
})

test('leaves out what is below its level', () => {
  assert.is(logged({}, { level: 'warn' }), '')
  assert.is(logged({}, { level: 'silent' }), '')
  assert.is.not(logged({}, { level: 'info' }), '')
})

for (const fields of [
  { authorization: 'Bearer hunter2' },
  {
    headers: {
      Authorization: 'hunter2',
      'upload-ticket': 'hunter2',
      'set-cookie': 'hunter2',
    },
  },
  { list: [{ secret: 'hunter2' }, { apiKey: 'hunter2' }, { access_token: 'hunter2' }] },
  { url: '/files/x?expires=1&signature=hunter2&key=hunter2' },
  { database: 'postgres://app:hunter2@db/app' },
  { error: new Error('at https://x.org/?token=hunter2') },
  { error: new Error('outer', { cause: new Error('mysql://root:hunter2@db') }) },
]) {
  test(`keeps a credential to itself: ${Object.keys(fields)}`, () => {
    for (const pretty of [true, false]) {
      const line = logged(fields, { pretty })
      assert.not.match(line, 'hunter2')
      assert.match(line, '[redacted]')
    }
  })
}

test('keeps what only looks like a credential', () => {
  const line = logged({ tickets: 3, keyId: 'k1', url: '/uploads/demo/x?wait=3' })
  assert.match(line, '"tickets":3,"keyId":"k1","url":"/uploads/demo/x?wait=3"')
})

test('writes an error with code, message, stack and cause', () => {
  const error = new CarcosaError('STORAGE_FULL', { cause: new RangeError('ENOSPC') })
  const entry = JSON.parse(logged({ error })).error
  assert.is(entry.type, 'CarcosaError')
  assert.is(entry.code, 'STORAGE_FULL')
  assert.match(entry.stack, 'log.test.ts')
  assert.is(entry.cause.message, 'ENOSPC')
})

test('survives circles, big integers and dates', () => {
  const circle: Record<string, unknown> = { size: 2n ** 60n, at: new Date(0) }
  circle.self = circle
  const entry = JSON.parse(logged({ circle })).circle
  assert.equal(entry, {
    size: '1152921504606846976',
    at: '1970-01-01T00:00:00.000Z',
    self: '[circular]',
  })
})

test.run()
