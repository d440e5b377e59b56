import type { LogFields } from './logger.ts'

const secretName =
  /^(.*[-_])?(authorization|cookie|signature|ticket|secret|password|token|api-?key)$/i

const secretInText =
  /([?&](?:signature|ticket|token|secret|key)=)[^&\s"]+|(\/\/[^/\s:@]+:)[^@\s]+(?=@)/gi

/**
 * A copy for the log, which JSON can hold: without credentials, whatever field, URL or message
 * of an error they are in, and with all that errors say.
 */
export function redact(fields: LogFields): LogFields {
  // Of an object `clean` makes an object.
  return clean(fields, new Set()) as LogFields
}

/** `seen` are the objects around `value`, against circles. */
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
