import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  declaredTypeOf,
  extensionsOf,
  groupOf,
  normalizeType,
  typeOfName,
} from '../../../src/shared/mime.ts'
import { typeAliases } from '../../../src/shared/mime-aliases.ts'
import { extensionsByType } from '../../../src/shared/mime-extensions.ts'

const spellings: [string | null, string | null][] = [
  ['image/png', 'image/png'],
  ['TEXT/HTML; charset=x', 'text/html'],
  ['  Image/JPG ', 'image/jpeg'],
  ['audio/x-wav', 'audio/wav'],
  ['video/x-matroska', 'video/matroska'],
  ['audio/ogg; codecs=opus', 'audio/ogg'],
  ['application/x-zip-compressed', 'application/zip'],
  ['video/MP1S', 'video/mpeg'],
  ['', null],
  [null, null],
  ['image', null],
  ['image/', null],
  ['/png', null],
  ['image/png/x', null],
  ['image/p ng', null],
  ['image/*', null],
  ['image/png\r\nx: y', null],
  ['<script>/x', null],
  [`a/${'x'.repeat(300)}`, null],
]
for (const [given, type] of spellings) {
  test(`the usual spelling of ${JSON.stringify(given)?.slice(0, 40)} is ${type}`, () => {
    assert.is(normalizeType(given), type)
  })
}

const groups: [string, string | null][] = [
  ['image/svg+xml', 'image'],
  ['video/mp4', 'video'],
  ['audio/mpeg', 'audio'],
  ['application/pdf', 'pdf'],
  ['text/csv', 'text'],
  ['application/json', null],
  ['application/zip', null],
  ['imagefoo/png', null],
]
for (const [type, group] of groups) {
  test(`${type} is in the group ${group}`, () => {
    assert.is(groupOf(type), group)
  })
}

const names: [string, string | null][] = [
  ['photo.JPG', 'image/jpeg'],
  ['a.b.tar.gz', 'application/gzip'],
  [
    'report.docx',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  ],
  ['clip.mov', 'video/quicktime'],
  ['.png', 'image/png'],
  ['README', null],
  ['trailing.', null],
  ['', null],
  ['x.constructor', null],
  ['x.__proto__', null],
  ['x.toString', null],
]
for (const [name, type] of names) {
  test(`the name ${JSON.stringify(name)} stands for ${type}`, () => {
    assert.is(typeOfName(name), type)
  })
}

test('a declared type wins over the name, unless it says nothing', () => {
  assert.is(declaredTypeOf('image/png', 'x.pdf'), 'image/png')
  assert.is(declaredTypeOf('', 'x.pdf'), 'application/pdf')
  assert.is(declaredTypeOf('nonsense', 'x.pdf'), 'application/pdf')
  assert.is(declaredTypeOf('application/octet-stream', 'x.pdf'), 'application/pdf')
  assert.is(declaredTypeOf('application/octet-stream', 'x.bin'), null)
  assert.is(declaredTypeOf(null, null), null)
})

test('the usual extension comes first, an unknown type has none', () => {
  assert.equal(extensionsOf('image/jpeg')[0], 'jpg')
  assert.equal(extensionsOf('application/x-nothing'), [])
  assert.equal(extensionsOf('constructor'), [])
})

test('no extension stands for two types', () => {
  const all = Object.values(extensionsByType).flatMap((list) => list.split(' '))
  const repeated = all.filter((extension, index) => all.indexOf(extension) !== index)
  assert.equal(repeated, [])
  assert.not(all.includes(''))
})

test('every type in the table is in its usual spelling', () => {
  for (const type of Object.keys(extensionsByType)) assert.is(normalizeType(type), type)
})

test('an alias leads to a usual spelling and never out of a group', () => {
  for (const [alias, type] of Object.entries(typeAliases)) {
    assert.is(normalizeType(type), type)
    const group = groupOf(alias)
    if (group) assert.is(groupOf(type), group, alias)
  }
})

test.run()
