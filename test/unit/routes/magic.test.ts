import { supportedMimeTypes } from 'file-type'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { kinship } from '../../../src/routes/kinship.ts'
import { mustShowMagic, typesWithMagic } from '../../../src/routes/magic.ts'
import { normalizeType } from '../../../src/shared/mime.ts'

const detectable = [...supportedMimeTypes].flatMap((type) => normalizeType(type) ?? [])

// A type that must be recognised and cannot be would refuse every honest file of it.
for (const type of typesWithMagic) {
  test(`the detector can tell a file of ${type}`, () => {
    const names = detectable.filter((found) => kinship(type, found) !== 'stranger')
    assert.ok(names.length > 0)
  })
}

test('the listed types are in their usual spelling', () => {
  for (const type of typesWithMagic) assert.is(normalizeType(type), type)
})

test('zip archives of every kind must show that they are', () => {
  for (const type of [
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/vnd.oasis.opendocument.text',
    'application/epub+zip',
    'application/java-archive',
  ]) {
    assert.ok(mustShowMagic(type), type)
  }
})

test('text of every kind need not', () => {
  for (const type of ['text/plain', 'text/html', 'application/json', 'image/svg+xml']) {
    assert.not(mustShowMagic(type), type)
  }
})

test.run()
