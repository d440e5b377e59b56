import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { present } from '../../../src/files/presentation.ts'
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

test.run()
