import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { route } from '../../../src/routes/route.ts'

const MB = 1024 * 1024

/** A caller without a compiler. */
const untyped = route as unknown as (config: unknown, options?: unknown) => unknown

const defaults = suite('the defaults of a route')

const sizes: [string, number][] = [
  ['image', 4 * MB],
  ['video', 16 * MB],
  ['audio', 8 * MB],
  ['blob', 8 * MB],
  ['pdf', 4 * MB],
  ['text', 64 * 1024],
  ['application/zip', 4 * MB],
]
for (const [type, maxFileSize] of sizes) {
  defaults(
    `for ${type} are UploadThing's: one file of ${maxFileSize} bytes, inline`,
    () => {
      const { definition } = route([type as 'image'])
      assert.equal(
        { ...definition.types },
        {
          [type]: {
            maxFileSize,
            minFileSize: 0,
            maxFileCount: 1,
            minFileCount: 1,
            contentDisposition: 'inline',
            acl: 'private',
          },
        },
      )
    },
  )
}

defaults('wait for server data, trust the bytes and give tickets an hour', () => {
  const { types, ...rest } = route(['image']).definition
  assert.equal(rest, {
    awaitServerData: true,
    ticketTTL: 3_600_000,
    trustedType: 'detected',
    isPublic: false,
    expiresIn: null,
    rateLimit: null,
    store: null,
    mirror: null,
    serve: 'proxy',
    isDirect: false,
    inputSchema: null,
    middleware: null,
    onUploadComplete: null,
    onUploadError: null,
  })
})

defaults.run()

const options = suite('the options of a route')

options('are parsed once: sizes to bytes, types to their usual spelling', () => {
  const { types } = route({
    'IMAGE/JPG': {
      maxFileSize: '1.5 MiB',
      minFileSize: '1KB',
      maxFileCount: Number.POSITIVE_INFINITY,
      minFileCount: 2,
      contentDisposition: 'attachment',
      acl: 'public-read',
      additionalProperties: { width: 100 },
    },
  }).definition
  assert.equal(types['image/jpeg'], {
    maxFileSize: 1.5 * MB,
    minFileSize: 1024,
    maxFileCount: Number.MAX_SAFE_INTEGER,
    minFileCount: 2,
    contentDisposition: 'attachment',
    acl: 'public-read',
    additionalProperties: { width: 100 },
  })
})

options('that are undefined mean the default', () => {
  const { types, ticketTTL } = route(
    { image: { acl: undefined, maxFileSize: undefined }, pdf: undefined },
    { ticketTTL: undefined },
  ).definition
  assert.equal(Object.keys(types), ['image'])
  assert.is(types.image?.acl, 'private')
  assert.is(ticketTTL, 3_600_000)
})

options('take ticketTTL in milliseconds and presignedURLTTL in seconds', () => {
  const ttl = (options: object) => route(['image'], options).definition.ticketTTL
  assert.is(ttl({ ticketTTL: 60_000 }), 60_000)
  assert.is(ttl({ ticketTTL: '30m' }), 1_800_000)
  assert.is(ttl({ presignedURLTTL: 60 }), 60_000)
  assert.is(ttl({ presignedURLTTL: '2 days' }), 172_800_000)
})

options("that mean nothing here are accepted for UploadThing's sake", () => {
  route(['image'], { getFileHashParts: (file) => [file.name], hashFn: () => 1 })
})

const mistakes: [title: string, config: unknown, options: unknown, ...says: string[]][] =
  [
    ['no config', undefined, {}, 'config', 'undefined', 'array of types'],
    ['no types', [], {}, 'config', '[]', 'one type'],
    ['an empty object', {}, {}, 'config', '{}', 'one type'],
    ['an unknown group', ['images'], {}, 'type', '"images"', 'image, video'],
    ['a wildcard', ['image/*'], {}, '"image/*"', 'full type'],
    ['parameters in a type', ['text/plain; charset=x'], {}, 'text/plain; charset=x'],
    ['a type that is no text', [7], {}, 'a type is 7'],
    ['a type twice', ['image/jpg', 'image/jpeg'], {}, '"image/jpeg"', 'once'],
    ['options that are no object', { image: 5 }, {}, 'options of "image"', '5'],
    ['null for options', { image: null }, {}, 'options of "image"', 'null'],
    [
      'a misspelt option',
      { image: { maxFilesize: '1MB' } },
      {},
      '"image"',
      '"maxFilesize"',
      'Did you mean maxFileSize?',
    ],
    [
      'a bad size',
      { pdf: { maxFileSize: '4 megs' } },
      {},
      '"maxFileSize" of "pdf"',
      '"4 megs"',
    ],
    ['a size of another type', { pdf: { maxFileSize: [] } }, {}, '"maxFileSize"', '[]'],
    [
      'a limit of nothing',
      { pdf: { maxFileSize: 0 } },
      {},
      'maxFileSize',
      '0',
      '1 or more',
    ],
    [
      'a minimum above the maximum',
      { pdf: { maxFileSize: 10, minFileSize: 11 } },
      {},
      'minFileSize',
      '11',
      'at most maxFileSize, which is 10',
    ],
    [
      'a count of none',
      { pdf: { maxFileCount: 0 } },
      {},
      'maxFileCount',
      '0',
      '1 or more',
    ],
    [
      'a count as text',
      { pdf: { maxFileCount: '3' } },
      {},
      'maxFileCount',
      '"3"',
      'whole',
    ],
    ['half a file', { pdf: { maxFileCount: 1.5 } }, {}, 'maxFileCount', '1.5', 'whole'],
    [
      'more files at least than at most',
      { pdf: { minFileCount: 2 } },
      {},
      'minFileCount',
      '2',
      'at most maxFileCount, which is 1',
    ],
    [
      'an unknown disposition',
      { pdf: { contentDisposition: 'download' } },
      {},
      'contentDisposition',
      '"download"',
      '"inline" or "attachment"',
    ],
    [
      'an unknown acl',
      { pdf: { acl: 'public' } },
      {},
      'acl',
      '"public"',
      '"public-read"',
    ],
    [
      'properties that are no object',
      { pdf: { additionalProperties: [1] } },
      {},
      'additionalProperties',
      '[1]',
    ],
    ['a misspelt route option', ['pdf'], { awaitServer: true }, '"awaitServer"'],
    [
      'a flag as text',
      ['pdf'],
      { awaitServerData: 'no' },
      'awaitServerData',
      '"no"',
      'true',
    ],
    ['a duration without unit', ['pdf'], { ticketTTL: '60' }, 'ticketTTL', '"60"', '30m'],
    ['no time at all', ['pdf'], { ticketTTL: 0 }, 'ticketTTL', '0', 'more than 0'],
    [
      'two names of one option',
      ['pdf'],
      { ticketTTL: 1, presignedURLTTL: 1 },
      'ticketTTL',
      'one of them',
    ],
    ['an unknown trust', ['pdf'], { trustedType: 'client' }, 'trustedType', '"client"'],
  ]
for (const [title, config, given, ...says] of mistakes) {
  options(`refuse ${title} and say what is allowed`, () => {
    assert.throws(
      () => untyped(config, given),
      (error: unknown) => {
        assert.instance(error, TypeError)
        for (const part of says) assert.match((error as Error).message, part)
        return true
      },
    )
  })
}

options.run()
