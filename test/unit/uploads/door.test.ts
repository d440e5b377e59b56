import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError, type ErrorCode } from '../../../src/shared/errors.ts'
import { type Admitted, type Knock, passDoor } from '../../../src/uploads/door.ts'

const test = suite('uploads/door')

const id = 'AAAAAAAAAAAAAAAAAAAAAAAA'
const stream = 'application/offset+octet-stream'

type Given = Partial<Omit<Knock, 'headers'>> & {
  headers?: Record<string, string | undefined>
}

/** A correct POST of 10 bytes without body, or a correct request of another method. */
function knock(given: Given = {}): Admitted {
  const { method = 'POST', id: of = method === 'POST' ? null : id } = given
  const own: Record<string, Record<string, string>> = {
    POST: { 'Upload-Length': '10' },
    PATCH: { 'Upload-Offset': '0', 'Content-Type': stream },
  }
  const all = { 'Tus-Resumable': '1.0.0', ...own[method], ...given.headers }
  const headers = new Headers()
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) headers.set(name, value)
  }
  const { hasBody = false, bodyAlreadyRead = false } = given
  return passDoor({ method, id: of, headers, hasBody, bodyAlreadyRead })
}

function refusal(given: Given): CarcosaError {
  try {
    knock(given)
  } catch (error) {
    assert.instance(error, CarcosaError)
    return error as CarcosaError
  }
  throw new Error('it was let in')
}

const notIntegers = [
  ...['', ' ', '-1', '+1', '01', '00', '1.0', '1.', '.5', '1e3', '1e+21', '0x10'],
  ...['1_000', '1,000', '1 0', 'NaN', 'Infinity', 'ten', '٣', '１０', '1n', '5, 5'],
  ...['9007199254740992', '18446744073709551616', '1'.repeat(400)],
]

const wrong: [what: string, given: Given, code: ErrorCode, says: RegExp][] = [
  [
    'GET where uploads are created',
    { method: 'GET', id: null },
    'METHOD_NOT_ALLOWED',
    /POST/,
  ],
  ['PUT of an upload', { method: 'PUT' }, 'METHOD_NOT_ALLOWED', /PATCH/],
  ['POST to an upload', { method: 'POST', id }, 'METHOD_NOT_ALLOWED', /HEAD/],
  [
    'DELETE where uploads are created',
    { method: 'DELETE', id: null },
    'METHOD_NOT_ALLOWED',
    /POST/,
  ],
  [
    'an override that is no method',
    { method: 'POST', id, headers: { 'X-HTTP-Method-Override': 'BREW' } },
    'METHOD_NOT_ALLOWED',
    /BREW/,
  ],
  ['an id that cannot be', { method: 'HEAD', id: '../x' }, 'UPLOAD_NOT_FOUND', /./],
  ['an empty id', { method: 'HEAD', id: '' }, 'UPLOAD_NOT_FOUND', /./],
  ['an endless id', { method: 'HEAD', id: 'a'.repeat(65) }, 'UPLOAD_NOT_FOUND', /./],
  [
    'no version',
    { headers: { 'Tus-Resumable': undefined } },
    'TUS_VERSION_UNSUPPORTED',
    /proxy/,
  ],
  [
    'an old version',
    { headers: { 'Tus-Resumable': '0.2.2' } },
    'TUS_VERSION_UNSUPPORTED',
    /0\.2\.2/,
  ],
  [
    'two versions',
    { headers: { 'Tus-Resumable': '1.0.0, 1.0.0' } },
    'TUS_VERSION_UNSUPPORTED',
    /speaks/,
  ],
  [
    'parts of an upload',
    { headers: { 'Upload-Concat': 'partial' } },
    'EXTENSION_UNSUPPORTED',
    /concatenation/,
  ],
  [
    'a checksum',
    { method: 'PATCH', headers: { 'Upload-Checksum': 'sha1 x' } },
    'EXTENSION_UNSUPPORTED',
    /checksum/,
  ],
  [
    'no length',
    { headers: { 'Upload-Length': undefined } },
    'LENGTH_INVALID',
    /Upload-Defer-Length/,
  ],
  [
    'two kinds of length',
    { headers: { 'Upload-Defer-Length': '1' } },
    'LENGTH_INVALID',
    /both/,
  ],
  [
    'a length deferred by another word',
    { headers: { 'Upload-Length': undefined, 'Upload-Defer-Length': 'true' } },
    'LENGTH_INVALID',
    /must be 1/,
  ],
  [
    'no offset',
    { method: 'PATCH', headers: { 'Upload-Offset': undefined } },
    'HEADER_INVALID',
    /Upload-Offset/,
  ],
  [
    'no media type',
    { method: 'PATCH', headers: { 'Content-Type': undefined } },
    'CONTENT_TYPE_UNSUPPORTED',
    /offset\+octet/,
  ],
  [
    'another media type',
    { method: 'PATCH', headers: { 'Content-Type': 'application/octet-stream' } },
    'CONTENT_TYPE_UNSUPPORTED',
    /offset\+octet/,
  ],
  [
    'a form where an upload is created',
    { hasBody: true, headers: { 'Content-Type': 'multipart/form-data' } },
    'CONTENT_TYPE_UNSUPPORTED',
    /prepare/,
  ],
  ['a body without a type', { hasBody: true }, 'CONTENT_TYPE_UNSUPPORTED', /must have/],
  [
    'a body that a parser ate',
    { method: 'PATCH', hasBody: true, bodyAlreadyRead: true },
    'BODY_ALREADY_READ',
    /before body parsers/,
  ],
  [
    'a body longer than the upload',
    { hasBody: true, headers: { 'Content-Type': stream, 'Content-Length': '11' } },
    'LENGTH_EXCEEDED',
    /11 bytes.*10/,
  ],
  [
    'broken metadata',
    { headers: { 'Upload-Metadata': 'name !!!' } },
    'METADATA_INVALID',
    /name/,
  ],
]

for (const [what, given, code, says] of wrong) {
  test(`${what} is refused with ${code}`, () => {
    const error = refusal(given)
    assert.is(error.code, code)
    assert.match(error.message, says)
  })
}

const integers: [header: string, method: string, code: ErrorCode][] = [
  ['Upload-Length', 'POST', 'LENGTH_INVALID'],
  ['Upload-Length', 'PATCH', 'LENGTH_INVALID'],
  ['Upload-Offset', 'PATCH', 'HEADER_INVALID'],
  ['Content-Length', 'PATCH', 'HEADER_INVALID'],
]
for (const [header, method, code] of integers) {
  test(`${header} of a ${method} is digits and nothing else`, () => {
    for (const value of notIntegers) {
      // Header values are Latin-1 on the wire; others arrive as something else that is no digit.
      const sent = Buffer.from(value).toString('latin1')
      const error = refusal({ method, headers: { [header]: sent } })
      assert.is(error.code, code, JSON.stringify(value))
      assert.ok(error.message.length < 300, 'the message does not repeat it all')
    }
    for (const value of ['0', '1', '9007199254740991']) {
      const { headers } = knock({ method, headers: { [header]: value } })
      assert.is(headers.get(header), value)
    }
  })
}

test('405 says what is allowed', () => {
  assert.is(refusal({ method: 'GET', id: null }).headers.Allow, 'OPTIONS, POST')
  assert.is(refusal({ method: 'PUT' }).headers.Allow, 'OPTIONS, HEAD, PATCH, DELETE, GET')
})

test('412 says which version would do', () => {
  const { headers } = refusal({ headers: { 'Tus-Resumable': '2.0.0' } })
  assert.is(headers['Tus-Version'], '1.0.0')
})

test('OPTIONS needs no version', () => {
  const { method } = knock({ method: 'OPTIONS', headers: { 'Tus-Resumable': undefined } })
  assert.is(method, 'OPTIONS')
})

for (const meant of ['PATCH', 'patch', ' HEAD ', 'DELETE']) {
  test(`a POST that means ${JSON.stringify(meant)} is taken as it is meant`, () => {
    const headers = {
      'X-HTTP-Method-Override': meant,
      'Upload-Length': undefined,
      'Upload-Offset': '0',
      'Content-Type': stream,
    }
    assert.is(knock({ method: 'POST', id, headers }).method, meant.trim().toUpperCase())
  })
}

test('an override counts on POST only', () => {
  const headers = { 'X-HTTP-Method-Override': 'DELETE' }
  assert.is(knock({ method: 'HEAD', headers }).method, 'HEAD')
})

test('behind the door there are only headers that were checked', () => {
  const { headers } = knock({
    method: 'PATCH',
    headers: {
      'Content-Type': ' Application/Offset+Octet-Stream ; charset=binary',
      'X-Forwarded-Host': 'evil.example',
      Forwarded: 'host=evil.example',
      'Upload-Metadata': 'name eA==',
      Cookie: 'a=b',
    },
  })
  assert.equal(Object.fromEntries(headers), {
    'content-type': stream,
    'tus-resumable': '1.0.0',
    'upload-offset': '0',
  })
})

const base64 = (text: string) => Buffer.from(text).toString('base64')

test('a creation says what the client says of its file', () => {
  const rawMetadata = [
    ['filename', 'grün.png'],
    ['name', 'other'],
    ['filetype', 'image/png'],
    ['lastModified', '1700000000000'],
    ['input', '{"a":1}'],
    ['more', 'kept'],
  ]
    .map(([key = '', value = '']) => `${key} ${base64(value)}`)
    .join(',')
  const { creation } = knock({ headers: { 'Upload-Metadata': rawMetadata } })
  assert.equal(creation, {
    file: {
      name: 'grün.png',
      type: 'image/png',
      size: 10,
      lastModified: 1_700_000_000_000,
    },
    input: '{"a":1}',
    rawMetadata,
  })
})

test('a creation may be silent about everything, and about its length', () => {
  const headers = { 'Upload-Length': undefined, 'Upload-Defer-Length': '1' }
  assert.equal(knock({ headers }).creation, {
    file: { name: '', type: '', size: null },
    input: undefined,
    rawMetadata: null,
  })
})

for (const value of ['yesterday', '-5', '0', '1e99', '']) {
  test(`a lastModified of ${JSON.stringify(value)} is none`, () => {
    const raw = `lastModified ${base64(value)}`
    const { creation } = knock({ headers: { 'Upload-Metadata': raw } })
    assert.is(creation?.file.lastModified, undefined)
  })
}

test.run()
