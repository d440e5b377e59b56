import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type ErrorAnswer,
  errorFromAnswer,
  errorFromProblem,
  parseRetryAfter,
} from '../../../client/problem.ts'

function answer(
  status: number,
  { body = '', headers = {} as Record<string, string>, method = 'PATCH' } = {},
): ErrorAnswer {
  const url = 'https://example.com/media/uploads/demo/1'
  return { method, url, status, body, header: (name) => headers[name] }
}

const test = suite('errors from answers')

const passing = [408, 409, 423, 425, 429, 500, 502, 503, 504, 507]
for (const status of passing) {
  test(`${status} may pass`, () => {
    assert.is(errorFromAnswer(answer(status)).retryable, true)
  })
}

const lasting = [301, 400, 401, 403, 404, 405, 410, 412, 413, 415, 416, 460, 501, 505]
for (const status of lasting) {
  test(`${status} does not pass by waiting`, () => {
    assert.is(errorFromAnswer(answer(status)).retryable, false)
  })
}

test('the problem document gives code, sentence, details and request id', () => {
  const details = { size: 5, maxFileSize: 4 }
  const problem = {
    code: 'FILE_TOO_LARGE',
    detail: 'Too large.',
    details,
    requestId: 'r1',
  }
  const error = errorFromAnswer(answer(413, { body: JSON.stringify(problem) }))
  assert.is(error.code, 'FILE_TOO_LARGE')
  assert.is(error.message, 'Too large.')
  assert.equal(error.details, details)
  assert.is(error.requestId, 'r1')
  assert.is(error.status, 413)
})

test('a 500 that somebody has to repair is not repeated', () => {
  const body = JSON.stringify({ code: 'MIDDLEWARE_FAILED', detail: 'Failed.' })
  assert.is(errorFromAnswer(answer(500, { body })).retryable, false)
})

const pages = ['<html>Bad gateway</html>', '{ not json', '[1]', '"text"', '']
for (const body of pages) {
  test(`a body of ${JSON.stringify(body)} leaves a sentence with the status`, () => {
    const error = errorFromAnswer(answer(502, { body }))
    assert.is(error.code, 'HTTP_ERROR')
    assert.match(error.message, 'answered 502 to PATCH https://example.com/media')
  })
}

const gone: [status: number, headers: Record<string, string>, code: string][] = [
  [404, { 'Tus-Resumable': '1.0.0' }, 'UPLOAD_NOT_FOUND'],
  [410, { 'Tus-Resumable': '1.0.0' }, 'UPLOAD_GONE'],
  [404, {}, 'HTTP_ERROR'],
  [410, {}, 'HTTP_ERROR'],
]
for (const [status, headers, code] of gone) {
  test(`HEAD ${status} with ${JSON.stringify(headers)} is ${code}`, () => {
    assert.is(errorFromAnswer(answer(status, { headers, method: 'HEAD' })).code, code)
  })
}

const times: [value: string | null | undefined, milliseconds: number | null][] = [
  ['0', 0],
  ['7', 7000],
  [' 7 ', 7000],
  ['Thu, 01 Jan 1970 00:00:30 GMT', 20_000],
  ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
  ['-1', null],
  ['soon', null],
  ['', null],
  [null, null],
  [undefined, null],
]
for (const [value, expected] of times) {
  test(`Retry-After ${JSON.stringify(value)} is ${expected} ms at second 10`, () => {
    assert.is(parseRetryAfter(value, 10_000), expected)
  })
}

for (const value of [null, 'no', 1, [], {}, { code: 1 }]) {
  test(`a verdict of ${JSON.stringify(value)} is RESPONSE_INVALID`, () => {
    assert.is(errorFromProblem(value).code, 'RESPONSE_INVALID')
  })
}

test.run()
