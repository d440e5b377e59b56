import assert from 'node:assert/strict'
import type { Part, Progress } from '../store.ts'

/** What a database remembers of an unfinished object: JSON where a database has JSON. */
export interface Remembered {
  readonly offset: number
  readonly memo: string | null
  readonly parts: string
  /** Where the parts end. */
  readonly settled: number
  readonly staged: readonly StagedBytes[]
}

interface StagedBytes {
  readonly position: number
  readonly bytes: Buffer
}

export const nothing: Remembered = {
  offset: 0,
  memo: null,
  parts: '[]',
  settled: 0,
  staged: [],
}

/** What is remembered after a store told of `progress`. */
export function remember(before: Remembered, progress: Progress): Remembered {
  const { offset, memo, parts = [], settled = 0, staged } = progress
  const kept = before.staged.filter(({ position }) => position >= settled)
  const added = staged ? [{ position: offset - staged.length, bytes: staged }] : []
  return {
    offset,
    memo: memo ? JSON.stringify(memo) : before.memo,
    parts: JSON.stringify(withParts(JSON.parse(before.parts), parts)),
    settled: Math.max(before.settled, settled),
    staged: [...kept, ...added],
  }
}

/** A part that was sent again replaces the one of its number. */
function withParts(before: readonly Part[], told: readonly Part[]): Part[] {
  const byNumber = new Map([...before, ...told].map((part) => [part.number, part]))
  return [...byNumber.values()].sort((a, b) => a.number - b.number)
}

/** Fails if somebody who goes on from `state` would miss bytes. */
export function requireSound(state: Remembered, partSize: number): void {
  const parts: Part[] = JSON.parse(state.parts)
  assert.deepEqual(
    parts.map(({ number }) => number),
    parts.map((_, index) => index + 1),
    'parts are told in order and without a hole',
  )
  if (parts.length > 0) {
    const sum = parts.reduce((sum, { size }) => sum + size, 0)
    assert.equal(sum, state.settled, 'the parts told are the bytes that are settled')
  }
  const end = requireContiguous(state)
  const staged = end - state.settled
  if (partSize === 0)
    assert.equal(staged, 0, 'bytes are staged, which no `partSize` allows')
  else assert.ok(staged < partSize, `${staged} bytes are staged, as many as a part has`)
  if (end > 0 || state.memo !== null) {
    assert.equal(state.offset, end, 'every byte before the offset is settled or staged')
  }
}

/** Where the staged bytes end; they must begin where the parts do. */
function requireContiguous({ settled, staged }: Remembered): number {
  let end = settled
  for (const { position, bytes } of staged) {
    assert.equal(position, end, 'staged bytes follow the parts and each other')
    end += bytes.length
  }
  return end
}
