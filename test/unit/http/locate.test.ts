import { Readable } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Incoming } from '../../../src/http/incoming.ts'
import { locate } from '../../../src/http/locate.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'

const test = suite('http/locate')

interface Asked {
  stripped?: string
  basePath?: string
  mayDecline?: boolean
  tus?: boolean
  accounts?: boolean
}

function place(path: string, asked: Asked = {}) {
  const { stripped = '', basePath = '', mayDecline = false, tus = false } = asked
  const { accounts = false } = asked
  const incoming: Incoming = {
    method: 'GET',
    path,
    stripped,
    search: '',
    headerCount: 1,
    headers: new Headers(tus ? { 'Tus-Resumable': '1.0.0' } : {}),
    address: null,
    gone: () => new AbortController().signal,
    hasBody: false,
    bodyAlreadyRead: false,
    mayDecline,
    parsedBody: undefined,
    openBody: () => Readable.from([]),
  }
  return locate(incoming, { basePath, accounts })
}

const found: [path: string, asked: Asked, prefix: string, segments: string[]][] = [
  ['/uploads/demo', {}, '', ['uploads', 'demo']],
  ['/uploads/demo/abc/', {}, '', ['uploads', 'demo', 'abc']],
  ['//uploads//demo', {}, '', ['uploads', 'demo']],
  ['/files/abc', {}, '', ['files', 'abc']],
  ['/routes', {}, '', ['routes']],
  ['/auth/login', { accounts: true }, '', ['auth', 'login']],
  ['/healthz', {}, '', ['healthz']],
  ['/uploads/demo', { stripped: '/media' }, '/media', ['uploads', 'demo']],
  ['/media/uploads/demo', { basePath: '/media' }, '/media', ['uploads', 'demo']],
  ['/a/b/files/x', { basePath: '/a/b' }, '/a/b', ['files', 'x']],
  ['/files/x', { basePath: '/media', stripped: '/media' }, '/media', ['files', 'x']],
  [
    '/media/files/x',
    { basePath: '/media', stripped: '/app' },
    '/app/media',
    ['files', 'x'],
  ],
  ['/files/a%2Fb', {}, '', ['files', 'a%2Fb']],
  ['/api/v1/me', {}, '', ['api', 'v1', 'me']],
  ['/docs', { basePath: '/media', stripped: '/media' }, '/media', ['docs']],
]

for (const [path, asked, prefix, segments] of found) {
  test(`${path} ${JSON.stringify(asked)} is ours, behind "${prefix}"`, () => {
    assert.equal(place(path, asked), { prefix, segments })
  })
}

for (const path of [
  '/',
  '',
  '/index.html',
  '/upload',
  '/Uploads/demo',
  '/filesystem/x',
]) {
  test(`"${path}" is none of ours`, () => {
    assert.is(place(path), null)
    assert.is(place(path, { mayDecline: true }), null)
  })
}

const mismatches: [path: string, asked: Asked, says: string][] = [
  ['/media/uploads/demo', {}, "basePath: '/media'"],
  ['/a/b/files/x', {}, "basePath: '/a/b'"],
  ['/media/uploads/demo', { mayDecline: true, tus: true }, "basePath: '/media'"],
  ['/uploads/demo', { basePath: '/media' }, 'leave basePath out'],
  ['/uploads/demo', { basePath: '/media', mayDecline: true, tus: true }, '/media'],
  ['/other/uploads/demo', { basePath: '/media' }, '/other'],
]

for (const [path, asked, says] of mismatches) {
  test(`${path} ${JSON.stringify(asked)} is explained as a wrong mount`, () => {
    try {
      place(path, asked)
    } catch (error) {
      assert.instance(error, CarcosaError)
      assert.is((error as CarcosaError).code, 'MOUNT_MISMATCH')
      assert.match((error as CarcosaError).message, says)
      return
    }
    throw new Error('it was not explained')
  })
}

test("the host's own routes that look like ours are left to the host", () => {
  assert.is(place('/admin/files', { mayDecline: true }), null)
  assert.is(place('/uploads/demo', { mayDecline: true, basePath: '/media' }), null)
})

test("without accounts the paths under /auth are the host's", () => {
  assert.is(place('/auth/login', { mayDecline: true }), null)
  assert.is(place('/api/auth/session', { mayDecline: true }), null)
})

test.run()
