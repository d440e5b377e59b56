import { globSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'

/** Absolute paths of test files, in the order in which they should run. */
export interface FoundTests {
  /** Two of these may run at the same time. */
  together: string[]
  /** These measure, kill, or drive a browser: each has the machine to itself. */
  alone: string[]
  /** These wait for minutes, for what they broke: two of them have the machine to themselves. */
  patient: string[]
}

const stages = ['unit', 'contract', 'integration', 'e2e', 'chaos']
const alone = /\b(chaos|browser|e2e)\b/
const patient = /\bchaos\/(s3|gcs)\b/

/**
 * The `*.test.ts` files below `directory` whose path contains one of `filters` (all, when
 * there are none). Type tests are the compiler's business; fixtures belong to other tests.
 */
export function findTests(directory: string, filters: readonly string[]): FoundTests {
  const found = globSync('**/*.test.ts', {
    cwd: directory,
    exclude: ['types/**', 'fixtures/**'],
  })
    .map((path) => path.split(sep).join('/'))
    .filter(
      (path) => filters.length === 0 || filters.some((filter) => fits(path, filter)),
    )
    .sort((a, b) => stage(a) - stage(b) || (a < b ? -1 : 1))
  const paths = Object.groupBy(found, (path) => {
    if (patient.test(path)) return 'patient'
    return alone.test(path) ? 'alone' : 'together'
  })
  const absolute = (path: string) => resolve(join(directory, path))
  const { together = [], alone: byItself = [], patient: waiting = [] } = paths
  return {
    together: together.map(absolute),
    alone: byItself.map(absolute),
    patient: waiting.map(absolute),
  }
}

/** A filter may be typed with or without `test/` in front, as a shell completes it. */
function fits(path: string, filter: string): boolean {
  return `test/${path}`.includes(filter.replace(/^\.\//, ''))
}

function stage(path: string): number {
  const index = stages.indexOf(path.split('/')[0] ?? '')
  return index === -1 ? stages.length : index
}
