import { type LogLevel, logLevels } from '../shared/log-level.ts'
import type { LogFields, Logger } from '../shared/logger.ts'

export interface LogOptions {
  /** The least important line still written. Default `info`. */
  level?: LogLevel
  /** One readable line instead of one JSON object. Default: when `output` is a terminal. */
  pretty?: boolean
  output: { write(text: string): unknown; readonly isTTY?: boolean }
}

/**
 * A logger that writes one line per call and never a credential: values of fields such as
 * `authorization`, `ticket`, `signature` and `secret`, and of such parameters in URLs, are
 * replaced. Errors are written with code, message, stack and causes.
 */
export function createLogger(options: LogOptions): Logger {
  const least = logLevels.indexOf(options.level ?? 'info')
  const line = (options.pretty ?? options.output.isTTY) ? prettyLine : jsonLine
  const at = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (logLevels.indexOf(level) < least) return
    options.output.write(`${line(level, message, redact(fields))}\n`)
  }
  return Object.freeze({
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  })
}

function jsonLine(level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({
    level,
    time: new Date().toISOString(),
    msg: message,
    ...fields,
  })
}

function prettyLine(level: LogLevel, message: string, fields: LogFields): string {
  const time = new Date().toTimeString().slice(0, 8)
  const rest = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${prettyValue(value)}`,
  )
  return `${time} ${level.padEnd(5)} ${message}${rest.join('')}`
}

function prettyValue(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value)
    ? value
    : JSON.stringify(value)
}

const secretName =
  /^(.*[-_])?(authorization|cookie|signature|ticket|secret|password|token|api-?key)$/i

const secretInText =
  /([?&](?:signature|ticket|token|secret|key)=)[^&\s"]+|(\/\/[^/\s:@]+:)[^@\s]+(?=@)/gi

function redact(fields: LogFields): LogFields {
  return clean(fields, new Set()) as LogFields
}

/** A copy that JSON can hold: `seen` are the objects around `value`, against circles. */
function clean(value: unknown, seen: ReadonlySet<unknown>): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(
      secretInText,
      (_, name = '', user = '') => `${name}${user}[redacted]`,
    )
  }
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (seen.has(value)) return '[circular]'
  const around = new Set([...seen, value])
  if (Array.isArray(value)) return value.map((item) => clean(item, around))
  const entries = Object.entries(value instanceof Error ? errorFields(value) : value)
  return Object.fromEntries(
    entries.map(([name, item]) => [
      name,
      secretName.test(name) ? '[redacted]' : clean(item, around),
    ]),
  )
}

function errorFields(error: Error): LogFields {
  return {
    type: error.name,
    message: error.message,
    ...('code' in error && { code: error.code }),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: error.cause }),
  }
}
