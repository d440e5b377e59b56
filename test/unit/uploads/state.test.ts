import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type FileState, isReadable } from '../../../src/files/record.ts'
import { isSettled, isUnfinished, predecessors } from '../../../src/uploads/state.ts'

const test = suite('uploads/state')

/** What each state is, written down a second time and independently. */
const states: Record<FileState, { before: FileState[]; is: string }> = {
  created: { before: [], is: 'unfinished' },
  receiving: { before: ['created', 'receiving'], is: 'unfinished' },
  stored: { before: ['created', 'receiving'], is: 'readable' },
  processing: { before: ['stored'], is: 'readable' },
  ready: {
    before: [
      ...(['created', 'receiving', 'stored', 'processing', 'quarantined'] as const),
      'removed',
    ],
    is: 'readable settled',
  },
  failed: {
    before: ['created', 'receiving', 'stored', 'processing', 'ready', 'quarantined'],
    is: 'settled',
  },
  rejected: {
    before: ['created', 'receiving', 'stored', 'processing', 'quarantined'],
    is: 'settled',
  },
  expired: { before: ['created', 'receiving'], is: 'settled' },
  quarantined: { before: ['stored', 'processing', 'ready'], is: 'settled' },
  removed: {
    before: [
      ...(['created', 'receiving', 'stored', 'processing', 'ready'] as const),
      ...(['failed', 'rejected', 'expired', 'quarantined'] as const),
    ],
    is: 'settled',
  },
}
const names = Object.keys(states) as FileState[]

for (const name of names) {
  test(`${name} is reached from ${states[name].before.join(', ') || 'nowhere'}`, () => {
    assert.equal([...predecessors(name)].sort(), [...states[name].before].sort())
  })

  test(`${name} is ${states[name].is}`, () => {
    const is = [
      isUnfinished(name) && 'unfinished',
      isReadable(name) && 'readable',
      isSettled(name) && 'settled',
    ]
    assert.is(is.filter(Boolean).join(' '), states[name].is)
  })
}

test('what has ended never takes bytes again', () => {
  for (const name of names) {
    if (isUnfinished(name)) continue
    assert.not.ok(predecessors('receiving').includes(name), name)
    assert.not.ok(predecessors('stored').includes(name), name)
  }
})

test('only a finished file cannot expire', () => {
  for (const name of names) {
    assert.is(predecessors('expired').includes(name), isUnfinished(name), name)
  }
})

test.run()
