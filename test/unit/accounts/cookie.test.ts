import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createSessionCookie } from '../../../src/accounts/cookie.ts'

const test = suite('the cookie of a session')
const always = 'HttpOnly; SameSite=Lax'

const written: [
  publicUrl: string | undefined,
  host: string,
  prefix: string,
  cookie: string,
][] = [
  [undefined, 'localhost:8080', '', `carcosa_session=x; Path=/; ${always}`],
  [undefined, '127.0.0.1', '/media', `carcosa_session=x; Path=/media; ${always}`],
  [
    undefined,
    'files.example.com',
    '',
    `__Host-carcosa_session=x; Path=/; ${always}; Secure`,
  ],
  [
    undefined,
    'localhost.evil.example',
    '',
    `__Host-carcosa_session=x; Path=/; ${always}; Secure`,
  ],
  [
    'https://a.example',
    'localhost',
    '',
    `__Host-carcosa_session=x; Path=/; ${always}; Secure`,
  ],
  [
    'https://a.example',
    'localhost',
    '/media',
    `__Secure-carcosa_session=x; Path=/media; ${always}; Secure`,
  ],
  [
    'https://a.example/up',
    'localhost',
    '/media',
    `__Secure-carcosa_session=x; Path=/up/media; ${always}; Secure`,
  ],
  ['http://intranet', 'intranet', '', `carcosa_session=x; Path=/; ${always}`],
]
for (const [publicUrl, host, prefix, cookie] of written) {
  test(`${publicUrl ?? host}${prefix}`, () => {
    const made = createSessionCookie(publicUrl)
    const request = { headers: new Headers({ Host: host }), prefix }
    assert.is(made.set(request, 'x'), cookie)
    assert.is(made.set(request, 'x', 60), `${cookie}; Max-Age=60`)
    assert.match(made.clear(request), /=; Path=.*; Max-Age=0$/)
    const [pair = ''] = cookie.split(';')
    const sent = new Headers({ Host: host, Cookie: `other=1; ${pair}; ${pair}y` })
    assert.is(made.read(sent), 'x')
  })
}

test('over HTTPS a cookie that another host of the domain could have set is not looked at', () => {
  const { read } = createSessionCookie('https://files.example.com')
  assert.is(read(new Headers({ Cookie: 'carcosa_session=x' })), null)
  assert.is(read(new Headers()), null)
})

test.run()
