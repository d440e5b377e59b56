import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { createFailures } from '../../../src/upkeep/report.ts'

const test = suite('the failures of a run')

test('are all counted, and the first hundred kept', () => {
  const failures = createFailures()
  for (let i = 0; i < 250; i++) failures.add({ id: `${i}` }, new Error('x'))
  assert.is(failures.count, 250)
  assert.is(failures.list.length, 100)
  assert.is(failures.list.at(-1)?.id, '99')
})

test('have the code of an error of ours, and INTERNAL for any other', () => {
  const failures = createFailures()
  failures.add({ id: 'a' }, new CarcosaError('STORAGE_FULL', { message: 'full' }))
  failures.add({ key: 'b' }, new TypeError('a bug'))
  failures.add({ key: 'c' }, 'text')
  assert.equal(failures.list, [
    { id: 'a', code: 'STORAGE_FULL', message: 'full' },
    { key: 'b', code: 'INTERNAL', message: 'a bug' },
    { key: 'c', code: 'INTERNAL', message: 'text' },
  ])
})

test.run()
