import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkBatch, checkFile, maxFileSize, ruleFor } from '../../../src/routes/check.ts'
import type { FileInfo } from '../../../src/routes/hooks.ts'
import { route } from '../../../src/routes/route.ts'
import { createRouter } from '../../../src/routes/router.ts'
import type { RouteConfig } from '../../../src/routes/rules.ts'

const subject = (config: RouteConfig) => createRouter({ demo: route(config) }).routes.demo
const file = (change: Partial<FileInfo> = {}): FileInfo => ({
  name: 'cat.png',
  size: 100,
  type: 'image/png',
  ...change,
})

const rules = suite('the rule for a file')

const matches: [RouteConfig, type: string, name: string, kind: string | null][] = [
  [['image'], 'image/png', 'a', 'image'],
  [['image'], 'IMAGE/PNG; x=1', 'a', 'image'],
  [['image', 'image/png'], 'image/png', 'a', 'image/png'],
  [['image', 'image/png'], 'image/gif', 'a', 'image'],
  [['image/jpeg'], 'image/jpg', 'a', 'image/jpeg'],
  [['image/jpg'], 'image/jpeg', 'a', 'image/jpeg'],
  [['video/x-matroska'], 'video/matroska', 'a', 'video/matroska'],
  [['pdf'], 'application/pdf', 'a', 'pdf'],
  [['text'], 'text/csv', 'a', 'text'],
  [['text'], 'application/json', 'a', null],
  [['image'], '', 'a.PNG', 'image'],
  [['image'], 'not a type', 'a.png', 'image'],
  [['image'], 'application/octet-stream', 'a.png', 'image'],
  [['image'], '', 'a', null],
  [['image'], '', 'a.exe', null],
  [['image'], 'text/html', 'a.png', null],
  [['image', 'blob'], 'text/html', 'a.png', 'blob'],
  [['image', 'blob'], '', '', 'blob'],
  [
    ['application/octet-stream', 'image'],
    'application/octet-stream',
    'a.png',
    'application/octet-stream',
  ],
  [['blob'], 'constructor', '__proto__', 'blob'],
  [['image'], 'constructor', '__proto__', null],
]
for (const [config, type, name, kind] of matches) {
  rules(`of ${JSON.stringify(config)} for "${type}" named "${name}" is ${kind}`, () => {
    const demo = subject(config)
    const match = ruleFor(demo, type, name)
    assert.is(match?.kind ?? null, kind)
    if (kind) assert.is(match?.rule, demo.types[kind])
  })
}

rules('that allows most decides how large a file can be', () => {
  assert.is(
    maxFileSize(subject({ image: { maxFileSize: 5 }, pdf: { maxFileSize: 9 } })),
    9,
  )
})

rules.run()

const files = suite('one file')

files('of exactly the smallest and the largest size passes', () => {
  const demo = subject({ image: { minFileSize: 10, maxFileSize: 20 } })
  for (const size of [10, 15, 20]) assert.is(checkFile(demo, file({ size })), null)
})

files('of one byte more is too large, and both numbers are told', () => {
  const error = checkFile(
    subject({ image: { maxFileSize: '4MB' } }),
    file({ size: 4194305 }),
  )
  assert.is(error?.code, 'FILE_TOO_LARGE')
  assert.equal(error?.details, {
    route: 'demo',
    type: 'image',
    size: 4194305,
    maxFileSize: 4194304,
    minFileSize: 0,
  })
  for (const part of ['"cat.png"', '4194305 bytes', '4194304 bytes', '"demo"', 'image']) {
    assert.match(error?.message ?? '', part)
  }
})

files('that is far too large is told in sizes people read', () => {
  const error = checkFile(subject(['image']), file({ size: 5 * 1024 ** 3 }))
  assert.match(
    error?.message ?? '',
    'has 5 GB; the route "demo" takes files of type "image" of at most 4 MB',
  )
})

files('of one byte less is too small', () => {
  const error = checkFile(subject({ image: { minFileSize: 10 } }), file({ size: 9 }))
  assert.is(error?.code, 'FILE_TOO_SMALL')
  assert.is(error?.details?.minFileSize, 10)
  assert.match(
    error?.message ?? '',
    'has 9 B; the route "demo" takes files of type "image" of at least 10 B',
  )
})

files('of no bytes passes where nothing was said of a smallest size', () => {
  assert.is(checkFile(subject(['image']), file({ size: 0 })), null)
})

files('of a size that is not known yet is judged later', () => {
  const demo = subject({ image: { minFileSize: 10, maxFileSize: 20 } })
  assert.is(checkFile(demo, file({ size: null })), null)
})

files('of another type is refused with what the route takes', () => {
  const error = checkFile(
    subject(['image', 'pdf']),
    file({ name: 'x.exe', type: 'Text/HTML' }),
  )
  assert.is(error?.code, 'TYPE_NOT_ALLOWED')
  assert.equal(error?.details, {
    route: 'demo',
    declared: 'text/html',
    allowed: ['image', 'pdf'],
  })
  for (const part of ['"x.exe"', 'text/html', 'image, pdf']) {
    assert.match(error?.message ?? '', part)
  }
})

files('without type and telling name is refused as such', () => {
  const error = checkFile(subject(['image']), file({ name: '', type: '' }))
  assert.is(error?.code, 'TYPE_NOT_ALLOWED')
  assert.match(error?.message ?? '', 'The file has no declared type')
})

files('with an endless name does not make an endless message', () => {
  const error = checkFile(subject(['pdf']), file({ name: 'x\n'.repeat(5000) }))
  assert.ok((error?.message ?? '').length < 400)
  assert.not.match(error?.message ?? '', '\n')
})

files.run()

const batches = suite('a batch')
const codes = (config: RouteConfig, batch: FileInfo[]) => {
  const { errors, files } = checkBatch(subject(config), batch)
  return { errors: errors.map((e) => e.code), files: files.map((e) => e?.code ?? null) }
}

batches('within all limits has nothing wrong', () => {
  const config = { image: { maxFileCount: 2 }, pdf: {} }
  const pdf = file({ type: 'application/pdf' })
  assert.equal(codes(config, [file(), pdf, file()]), {
    errors: [],
    files: [null, null, null],
  })
})

batches('with one file more than allowed says how many too many', () => {
  const { errors } = checkBatch(subject({ image: { maxFileCount: 2 } }), [
    file(),
    file(),
    file(),
  ])
  assert.is(errors.length, 1)
  assert.is(errors[0]?.code, 'TOO_MANY_FILES')
  assert.equal(errors[0]?.details, {
    route: 'demo',
    type: 'image',
    count: 3,
    maxFileCount: 2,
    minFileCount: 1,
  })
  assert.match(errors[0]?.message ?? '', 'at most 2 at once. Leave out 1')
})

batches('with too few of a type says how many are missing', () => {
  const { errors } = checkBatch(
    subject({ image: { minFileCount: 3, maxFileCount: 5 } }),
    [file()],
  )
  assert.is(errors[0]?.code, 'TOO_FEW_FILES')
  assert.match(errors[0]?.message ?? '', 'at least 3 at once. Add 2.')
})

batches('needs no file of a type it has none of', () => {
  const config = { image: { minFileCount: 2, maxFileCount: 5 }, pdf: {} }
  assert.equal(codes(config, [file({ type: 'application/pdf' })]).errors, [])
})

batches('counts each type for itself', () => {
  const config: RouteConfig = ['image', 'image/png', 'blob']
  const batch = [file(), file({ type: 'image/gif' }), file({ type: 'a/b' })]
  assert.equal(codes(config, batch).errors, [])
  assert.equal(codes(config, [...batch, file({ type: 'c/d' })]).errors, [
    'TOO_MANY_FILES',
  ])
})

batches('is told all that is wrong at once, file by file and as a whole', () => {
  const config = { image: { maxFileSize: 100 } }
  const batch = [file(), file({ size: 101 }), file({ type: 'a/b' })]
  assert.equal(codes(config, batch), {
    errors: ['TOO_MANY_FILES'],
    files: [null, 'FILE_TOO_LARGE', 'TYPE_NOT_ALLOWED'],
  })
})

batches('of no files is too few', () => {
  assert.equal(codes(['image'], []), { errors: ['TOO_FEW_FILES'], files: [] })
})

batches('of a thousand files passes where Infinity was allowed', () => {
  const config = { image: { maxFileCount: Number.POSITIVE_INFINITY } }
  assert.equal(
    codes(
      config,
      Array.from({ length: 1000 }, () => file()),
    ).errors,
    [],
  )
})

batches.run()
