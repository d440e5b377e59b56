import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type FileInfo,
  type MiddlewareResult,
  renamedFiles,
} from '../../../src/routes/hooks.ts'
import { readMiddlewareResult } from '../../../src/routes/middleware-result.ts'

const files: FileInfo[] = [
  { name: 'a.png', size: 1, type: 'image/png', lastModified: 7 },
  { name: 'b.png', size: null, type: 'image/png' },
]
const namesOf = (settled: readonly { name: string }[]) => settled.map(({ name }) => name)
const read = (result: unknown) => readMiddlewareResult(result as MiddlewareResult, files)

test('what middleware returns is metadata as JSON carries it', () => {
  const { metadata, files: settled } = read({
    at: new Date(0),
    skip: undefined,
    deep: { n: 1 },
  })
  assert.equal(metadata, { at: '1970-01-01T00:00:00.000Z', deep: { n: 1 } })
  assert.equal(namesOf(settled), ['a.png', 'b.png'])
})

for (const nothing of [undefined, null]) {
  test(`middleware that returns ${nothing} leaves empty metadata`, () => {
    assert.equal(read(nothing).metadata, {})
  })
}

test('renamed files are renamed and do not become metadata', () => {
  const { metadata, files: settled } = read({
    owner: 'x',
    [renamedFiles]: files.map((file) => ({ ...file, name: `new-${file.name}` })),
  })
  assert.equal(metadata, { owner: 'x' })
  assert.is(Object.getOwnPropertySymbols(metadata).length, 0)
  assert.equal(namesOf(settled), ['new-a.png', 'new-b.png'])
})

test('renamed files may be given by name alone', () => {
  const renamed = read({ [renamedFiles]: [{ name: 'x' }, { name: 'y' }] })
  assert.equal(namesOf(renamed.files), ['x', 'y'])
})

test('renamed files may be given a custom id and tags', () => {
  const entries = [{ name: 'x', customId: 'c', tags: ['t'] }, { name: 'y' }]
  const { files: settled } = read({ [renamedFiles]: entries })
  assert.equal(settled, [
    { name: 'x', labels: { customId: 'c', tags: ['t'] } },
    { name: 'y', labels: {} },
  ])
})

const [a, b] = files
const bad: [title: string, result: unknown, says: string][] = [
  ['text', 'text', 'must return an object'],
  ['an array', [1], 'must return an object'],
  ['a Date', new Date(), 'must return an object'],
  ['a function', () => 1, 'must return an object'],
  ['a bigint inside', { n: 1n }, 'BigInt'],
  ['too few renamed files', { [renamedFiles]: [a] }, '1 entries for 2 files'],
  ['too many renamed files', { [renamedFiles]: [a, b, b] }, '3 entries for 2 files'],
  ['renamed files that are no array', { [renamedFiles]: a }, 'no entries for 2 files'],
  ['a renamed file without name', { [renamedFiles]: [a, {}] }, '[1] has no name'],
  ['a renamed file with an empty name', { [renamedFiles]: [{ name: '' }, b] }, '[0]'],
  ['null for a renamed file', { [renamedFiles]: [null, b] }, '[0] has no name'],
  ['another size', { [renamedFiles]: [{ ...a, size: 2 }, b] }, '[0] sets size'],
  ['another type', { [renamedFiles]: [a, { ...b, type: 'x/y' }] }, '[1] sets type'],
  ['another id', { [renamedFiles]: [{ ...a, id: 'x' }, b] }, '[0] sets id'],
]
for (const [title, result, says] of bad) {
  test(`middleware that returns ${title} is refused`, () => {
    assert.throws(
      () => read(result),
      (error: unknown) => error instanceof TypeError && error.message.includes(says),
    )
  })
}

test.run()
