import { type DestinationStream, pino, stdTimeFunctions } from 'pino'
import type { LogLevel } from '../shared/log-level.ts'
import type { LogFields, Logger } from '../shared/logger.ts'
import { redact } from '../shared/redact.ts'

export interface LogOptions {
  /** The least important line still written. Default `info`. */
  level?: LogLevel
  /** One readable line instead of one JSON object. Default: when `output` is a terminal. */
  pretty?: boolean
  output: { write(text: string): unknown; readonly isTTY?: boolean }
}

/**
 * A pino logger that writes one line per call and never a credential: values of fields such as
 * `authorization`, `ticket`, `signature` and `secret`, and of such parameters in URLs, are
 * replaced. Errors are written with code, message, stack and causes.
 */
export function createLogger({ level = 'info', pretty, output }: LogOptions): Logger {
  const destination = (pretty ?? output.isTTY) ? prettyLines(output) : output
  return pino(
    {
      level,
      // Who runs it adds host and process, if they want to know.
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redact },
    },
    // pino only ever calls `write`, and ignores what it returns.
    destination as DestinationStream,
  )
}

/** Turns pino's lines into ones for a person: time of day, level, message, fields. */
function prettyLines(output: LogOptions['output']): DestinationStream {
  return {
    write(line) {
      const { level, time, msg, ...fields }: PinoLine = JSON.parse(line)
      const clock = new Date(time).toTimeString().slice(0, 8)
      const rest = Object.entries(fields).map(
        ([name, value]) => ` ${name}=${prettyValue(value)}`,
      )
      output.write(`${clock} ${level.padEnd(5)} ${msg}${rest.join('')}\n`)
    },
  }
}

type PinoLine = LogFields & { level: string; time: string; msg: string }

function prettyValue(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value)
    ? value
    : JSON.stringify(value)
}
