/** What Carcosa logs through; pino's shape, so that a pino logger can be passed as it is. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** Whether a line of this level would be written. Default: every one is. */
  isLevelEnabled?(level: string): boolean
}

export type LogFields = Record<string, unknown>

/** Says nothing: the default for a library inside somebody else's process. */
export const silentLogger: Logger = Object.freeze({
  debug() {},
  info() {},
  warn() {},
  error() {},
})
