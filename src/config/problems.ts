import { inspect } from 'node:util'
import { CarcosaError } from '../shared/errors.ts'

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** Where it was given: `--port`, `CARCOSA_PORT`, `port in carcosa.config.ts`. */
  readonly source: string
  /** What was given, what is allowed, what to do. */
  readonly message: string
}

/** All problems as one CONFIG_INVALID, so that nobody has to fix them one start at a time. */
export function configError(
  problems: readonly ConfigProblem[],
  cause?: unknown,
): CarcosaError {
  const [only, ...more] = problems.map((problem) => problem.message)
  const message =
    more.length === 0 && only
      ? only
      : `${problems.length} settings are wrong:\n${[only, ...more].map((line) => `  - ${line}`).join('\n')}`
  return new CarcosaError('CONFIG_INVALID', { message, details: { problems }, cause })
}

/** A value for a message: on one line, and never longer than a person would read. */
export function shown(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY })
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
