import { type FileState, fileStates } from '../files/record.ts'

/**
 * The life of a file: which state may follow which. Every change of state in the program is
 * a conditional update whose `WHERE state IN (…)` comes from this table; an update that
 * changes no row means somebody else was first.
 *
 *   created → receiving → stored → processing → ready
 *
 * `processing` is for required transforms; without them `stored` goes straight to `ready`
 * once the completion callback ran. A finished file fails when its store has lost it. What was
 * `ready` and is `removed` may become `ready` again while it keeps its bytes (`purgeAfter`, see
 * src/files/edit.ts); every other `removed` is the end.
 */
const successors: Readonly<Record<FileState, readonly FileState[]>> = Object.freeze({
  created: ['receiving', 'stored', 'ready', 'rejected', 'failed', 'expired', 'removed'],
  receiving: ['receiving', 'stored', 'ready', 'rejected', 'failed', 'expired', 'removed'],
  stored: ['processing', 'ready', 'rejected', 'failed', 'quarantined', 'removed'],
  processing: ['ready', 'rejected', 'failed', 'quarantined', 'removed'],
  ready: ['failed', 'quarantined', 'removed'],
  quarantined: ['ready', 'rejected', 'failed', 'removed'],
  failed: ['removed'],
  rejected: ['removed'],
  expired: ['removed'],
  removed: ['ready'],
})

/** The states from which `to` may be reached. */
export function predecessors(to: FileState): readonly FileState[] {
  return fileStates.filter((from) => successors[from].includes(to))
}

/** Still taking bytes. */
export const unfinishedStates: readonly FileState[] = ['created', 'receiving']

export function isUnfinished(state: FileState): boolean {
  return unfinishedStates.includes(state)
}

/** Nothing more happens by itself: what a client waiting for the outcome waits for. */
export function isSettled(state: FileState): boolean {
  return !isUnfinished(state) && state !== 'stored' && state !== 'processing'
}
