import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createSeen } from '../../../src/shared/seen.ts'

const test = suite('shared/seen')

const texts = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${prefix}-${n}`)

test('never forgets what was added, and rarely takes another for it', () => {
  const seen = createSeen(20_000)
  for (const text of texts('added', 20_000)) seen.add(text)
  assert.ok(texts('added', 20_000).every((text) => seen.has(text)))
  const mistaken = texts('other', 20_000).filter((text) => seen.has(text)).length
  assert.ok(mistaken < 60, `${mistaken} of 20000`)
})

test('takes another text for a known one in each filter', () => {
  const mistakes = () => {
    const seen = createSeen(20_000)
    for (const text of texts('added', 20_000)) seen.add(text)
    return texts('other', 50_000).filter((text) => seen.has(text))
  }
  const first = mistakes()
  const both = mistakes().filter((text) => first.includes(text))
  assert.ok(both.length < 5, both.join())
})

test('an empty one has seen nothing', () => {
  const seen = createSeen(0)
  assert.not.ok(texts('any', 1000).some((text) => seen.has(text)))
})

test.run()
