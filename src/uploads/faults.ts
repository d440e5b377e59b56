/**
 * Places at which a test may stop the program dead, to prove that whatever state it leaves
 * is repaired. In production nothing is armed and each call is an empty function.
 */
export type FaultPoint =
  | 'create:after-row'
  | 'receive:after-write'
  | 'finish:before-commit'
  | 'finish:after-commit'
  | 'completion:before-callback'
  | 'completion:after-callback'
  | 'completion:after-commit'
  | 'copy:before-commit'
  | 'copy:after-commit'

export type Faults = (point: FaultPoint) => void | Promise<void>

export const noFaults: Faults = () => {}
