import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isHarmlessElsewhere, present } from '../../../src/files/presentation.ts'
import { fileRecord } from '../../support/file-record.ts'

const test = suite('files/presentation')

const presented = (contentType: string | null) =>
  present(fileRecord({ contentType, filename: 'x' }), 'inline')

/** [recorded, sent, shown, sandboxed] */
const cases: [
  recorded: string | null,
  sent: string,
  shown: 'inline' | 'attachment',
  sandboxed: boolean,
][] = [
  // Types that cannot run anything
  ['image/png', 'image/png', 'inline', true],
  ['IMAGE/PNG', 'image/png', 'inline', true],
  ['text/plain', 'text/plain; charset=utf-8', 'inline', true],
  ['text/plain; charset=ISO-8859-1', 'text/plain; charset=ISO-8859-1', 'inline', true],
  ['text/csv;header=present', 'text/csv;header=present; charset=utf-8', 'inline', true],
  ['video/mp4', 'video/mp4', 'inline', false],
  ['video/mp4; codecs="avc1, mp4a"', 'video/mp4; codecs="avc1, mp4a"', 'inline', false],
  ['audio/ogg', 'audio/ogg', 'inline', false],
  ['application/pdf', 'application/pdf', 'inline', false],
  ['application/json', 'application/json', 'inline', false],
  // Types that can (SEC-19)
  ['text/html', 'text/html; charset=utf-8', 'attachment', true],
  ['TEXT/HTML', 'text/html; charset=utf-8', 'attachment', true],
  ['text/html;charset=UTF-7', 'text/html;charset=UTF-7', 'attachment', true],
  ['application/xhtml+xml', 'application/xhtml+xml', 'attachment', true],
  ['text/xml', 'text/xml; charset=utf-8', 'attachment', true],
  ['application/xml', 'application/xml', 'attachment', true],
  ['image/svg+xml', 'image/svg+xml', 'attachment', true],
  ['Image/SVG+XML', 'image/svg+xml', 'attachment', true],
  ['image/anything+xml', 'image/anything+xml', 'attachment', true],
  ['video/anything+xml', 'video/anything+xml', 'attachment', true],
  ['text/xsl', 'text/xsl; charset=utf-8', 'attachment', true],
  ['multipart/x-mixed-replace', 'multipart/x-mixed-replace', 'attachment', true],
  ['message/rfc822', 'message/rfc822', 'attachment', true],
  ['application/x-shockwave-flash', 'application/x-shockwave-flash', 'attachment', true],
  ['application/zip', 'application/zip', 'attachment', true],
  // Scripts, which no disposition stops
  ['text/javascript', 'text/plain; charset=utf-8', 'inline', true],
  ['Application/JavaScript', 'text/plain; charset=utf-8', 'inline', true],
  ['application/x-ecmascript', 'text/plain; charset=utf-8', 'inline', true],
  ['text/javascript1.5', 'text/plain; charset=utf-8', 'inline', true],
  ['text/jscript', 'text/plain; charset=utf-8', 'inline', true],
  ['text/livescript', 'text/plain; charset=utf-8', 'inline', true],
  // Not a type
  [null, 'application/octet-stream', 'attachment', true],
  ['', 'application/octet-stream', 'attachment', true],
  ['html', 'application/octet-stream', 'attachment', true],
  ['image/png\r\nSet-Cookie: x=1', 'application/octet-stream', 'attachment', true],
  ['image/png; a="\r\nSet-Cookie: x=1"', 'application/octet-stream', 'attachment', true],
  ['image/png, text/html', 'application/octet-stream', 'attachment', true],
  ['image/png; text/html', 'application/octet-stream', 'attachment', true],
  ['image/pñg', 'application/octet-stream', 'attachment', true],
  [`image/${'x'.repeat(300)}`, 'application/octet-stream', 'attachment', true],
]

for (const [recorded, sent, shown, sandboxed] of cases) {
  test(`${JSON.stringify(recorded)?.slice(0, 50)} is sent as ${sent}, ${shown}`, () => {
    const headers = presented(recorded)
    assert.is(headers['Content-Type'], sent)
    assert.is(headers['Content-Disposition'], `${shown}; filename="x"`)
    assert.is(headers['X-Content-Type-Options'], 'nosniff')
    const policy = headers['Content-Security-Policy'] ?? ''
    assert.is(policy.startsWith("sandbox; default-src 'none'"), sandboxed)
  })
}

test('a wish for a download is always granted', () => {
  const headers = present(fileRecord({ contentType: 'image/png' }), 'attachment')
  assert.match(headers['Content-Disposition'], /^attachment;/)
})

// Where neither `nosniff` nor a policy is sent along

const elsewhere: [harmless: boolean, recorded: (string | null)[]][] = [
  [
    true,
    ['image/png', 'IMAGE/JPEG', 'video/mp4; codecs="avc1"', 'audio/ogg', 'font/woff2'],
  ],
  [
    true,
    ['application/pdf', 'text/plain', 'text/csv;header=present', 'application/json'],
  ],
  [true, ['application/zip', 'application/octet-stream', 'application/x-tar', null, '']],
  [true, ['application/vnd.openxmlformats-officedocument.wordprocessingml.document']],
  [true, ['image/png\r\nSet-Cookie: x=1', 'html']],
  [false, ['text/html', 'TEXT/HTML', 'application/xhtml+xml', 'text/xml', 'text/xsl']],
  [false, ['image/svg+xml', 'Image/SVG+XML', 'image/svg', 'video/anything+xml']],
  [false, ['application/vnd.oasis.opendocument.text+xml', 'message/rfc822']],
  [
    false,
    ['multipart/x-mixed-replace', 'application/x-shockwave-flash', 'application/x'],
  ],
  [false, ['text/javascript', ' Application/JavaScript', 'text/jscript', 'text/css']],
  [false, ['application/zip+xml', 'application/wasm', 'application/vnd.ms-xpsdocument']],
]
for (const [harmless, recorded] of elsewhere) {
  for (const contentType of recorded) {
    const verdict = harmless ? 'may' : 'may not'
    test(`${JSON.stringify(contentType)} ${verdict} be sent by somebody else`, () => {
      assert.is(isHarmlessElsewhere(fileRecord({ contentType })), harmless)
    })
  }
}

test.run()
