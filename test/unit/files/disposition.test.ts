import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { contentDisposition, safeFilename } from '../../../src/files/disposition.ts'

const test = suite('files/disposition')

/** [name, value after `attachment`] */
const cases: [name: string | null, expected: string][] = [
  [null, ''],
  ['', ''],
  ['   ', ''],
  ['report.pdf', '; filename="report.pdf"'],
  ['two words.txt', '; filename="two words.txt"'],
  ["it's (1) ~!#$&+.txt", '; filename="it\'s (1) ~!#$&+.txt"'],
  // Beyond ASCII
  ['naïve.txt', `; filename="naive.txt"; filename*=UTF-8''na%C3%AFve.txt`],
  ['日本.png', `; filename="__.png"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.png`],
  ['😀.gif', `; filename="_.gif"; filename*=UTF-8''%F0%9F%98%80.gif`],
  ['œ €.txt', `; filename="_ _.txt"; filename*=UTF-8''%C5%93%20%E2%82%AC.txt`],
  // Quoting
  ['a"b.txt', `; filename="a_b.txt"; filename*=UTF-8''a%22b.txt`],
  ['a%41.txt', `; filename="a_41.txt"; filename*=UTF-8''a%2541.txt`],
  ['"', `; filename="_"; filename*=UTF-8''%22`],
  ["é'()*.txt", `; filename="e'()*.txt"; filename*=UTF-8''%C3%A9%27%28%29%2A.txt`],
  [
    `x"; filename*=UTF-8''evil.exe`,
    `; filename="x_; filename*=UTF-8''evil.exe"; filename*=UTF-8''x%22%3B%20filename%2A%3DUTF-8%27%27evil.exe`,
  ],
  // Paths
  ['../../etc/passwd', '; filename=".._.._etc_passwd"'],
  ['C:\\fakepath\\me.jpg', '; filename="C:_fakepath_me.jpg"'],
  [
    'x\\"; filename=evil.exe',
    `; filename="x__; filename=evil.exe"; filename*=UTF-8''x_%22%3B%20filename%3Devil.exe`,
  ],
  ['.', '; filename="_"'],
  ['..', '; filename="_"'],
  ['\u202E..', '; filename="_"'],
  // Control characters
  ['a\r\nSet-Cookie: x=1', '; filename="a__Set-Cookie: x=1"'],
  ['a\0.txt', '; filename="a_.txt"'],
  ['a\tb\x7Fc\x85d', '; filename="a_b_c_d"'],
  ['a\u2028b\u2029c', '; filename="a_b_c"'],
  // Text that reads differently than it is
  ['cod\u202Egpj.exe', '; filename="codgpj.exe"'],
  ['\u2066a\u2069\u200F\uFEFF.txt', '; filename="a.txt"'],
  // Lone surrogates
  ['a\uD800b.txt', `; filename="a_b.txt"; filename*=UTF-8''a%EF%BF%BDb.txt`],
  ['\uDC00', `; filename="_"; filename*=UTF-8''%EF%BF%BD`],
]

for (const [name, expected] of cases) {
  test(`${JSON.stringify(name)} is sent as ${expected || 'no name'}`, () => {
    assert.is(contentDisposition('attachment', name), `attachment${expected}`)
    assert.is(contentDisposition('inline', name), `inline${expected}`)
  })
}

const nasty = cases.flatMap(([name]) => name ?? [])
nasty.push(
  ...Array.from({ length: 0x250 }, (_, code) => `a${String.fromCodePoint(code)}"b\\c`),
  'é'.repeat(4096),
  '"'.repeat(4096),
  '\uD83D'.repeat(300),
)

test('whatever the name, the value is two well-formed parameters and nothing else', () => {
  const form =
    /^attachment; filename="[ !#-[\]-~]+"(?:; filename\*=UTF-8''(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+)?$/
  for (const name of nasty) {
    if (name.trim() === '') continue
    assert.match(contentDisposition('attachment', name), form, JSON.stringify(name))
  }
})

test('the extended parameter decodes to the name as it was cleaned', () => {
  for (const name of nasty) {
    const encoded = /"; filename\*=UTF-8''(\S+)$/.exec(contentDisposition('inline', name))
    if (encoded?.[1] !== undefined) {
      assert.is(decodeURIComponent(encoded[1]), safeFilename(name), JSON.stringify(name))
    }
  }
})

const long: [name: string, expected: string][] = [
  [`${'a'.repeat(4096)}.pdf`, `${'a'.repeat(251)}.pdf`],
  [`${'é'.repeat(200)}.pdf`, `${'é'.repeat(125)}.pdf`],
  [`${'😀'.repeat(100)}.tar.gz`, `${'😀'.repeat(63)}.gz`],
  [`${'a'.repeat(255)}`, 'a'.repeat(255)],
  [`${'a'.repeat(256)}`, 'a'.repeat(255)],
  [`a.${'b'.repeat(300)}`, `a.${'b'.repeat(253)}`],
  [`${'a'.repeat(250)}  .pdf`, `${'a'.repeat(250)}.pdf`],
]

for (const [name, expected] of long) {
  test(`a name of ${Buffer.byteLength(name)} bytes is cut to ${Buffer.byteLength(expected)}`, () => {
    assert.is(safeFilename(name), expected)
  })
}

test.run()
