import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FileRecord } from '../../../src/files/record.ts'
import type { ServeOptions } from '../../../src/files/serve.ts'
import { readReply, servedFile } from '../../support/served-file.ts'

const test = suite('files/cache-control')

const hour = 3_600_000
const inHalfAnHour = () => new Date(Date.now() + hour / 2)

const caching: [
  what: string,
  acl: FileRecord['acl'],
  options: () => Partial<ServeOptions>,
  cacheControl: RegExp,
  resourcePolicy: string,
][] = [
  ['a private file', 'private', () => ({}), /^private, no-cache$/, 'same-site'],
  [
    'a signed file',
    'private',
    () => ({ expiresAt: inHalfAnHour() }),
    /^private, max-age=(1799|1800)$/,
    'cross-origin',
  ],
  [
    'a file signed for a long time',
    'private',
    () => ({ expiresAt: new Date(Date.now() + 48 * hour) }),
    /^private, max-age=3600$/,
    'cross-origin',
  ],
  [
    'a signature that ends now',
    'private',
    () => ({ expiresAt: new Date(Date.now() - 5) }),
    /^private, max-age=0$/,
    'cross-origin',
  ],
  ['a public file', 'public-read', () => ({}), /^public, max-age=3600$/, 'cross-origin'],
  [
    'a public file that was signed',
    'public-read',
    () => ({ expiresAt: inHalfAnHour() }),
    /^public, max-age=3600$/,
    'cross-origin',
  ],
  [
    'a public file with a configured age',
    'public-read',
    () => ({ maxAge: 90_500 }),
    /^public, max-age=90$/,
    'cross-origin',
  ],
]

for (const [what, acl, options, cacheControl, resourcePolicy] of caching) {
  test(`${what} may be kept as ${cacheControl.source}`, async () => {
    const reply = await servedFile('0123456789', { acl }).ask({}, options())
    assert.match(reply.headers['Cache-Control'] ?? '', cacheControl)
    assert.is(reply.headers['Cross-Origin-Resource-Policy'], resourcePolicy)
    await readReply(reply)
  })
}

test.run()
