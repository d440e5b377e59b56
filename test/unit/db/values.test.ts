import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parsers } from '../../../src/db/values.ts'

const values = suite('db/values')

const int8: [text: string, value: number | bigint][] = [
  ['0', 0],
  ['-1', -1],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['-9007199254740991', Number.MIN_SAFE_INTEGER],
  ['9007199254740992', 9007199254740992n],
  ['9223372036854775807', 9223372036854775807n],
]

for (const [text, value] of int8) {
  values(`reads the int8 ${text} as the ${typeof value} it is`, () => {
    assert.is(parsers[20]?.(text), value)
  })
}

values('reads lists of int8, empty ones and nulls too', () => {
  assert.equal(parsers[1016]?.('{1,NULL,9223372036854775807}'), [
    1,
    null,
    9223372036854775807n,
  ])
  assert.equal(parsers[1016]?.('{}'), [])
})

values.run()
