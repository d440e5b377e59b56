import { didYouMean } from '../shared/suggest.ts'

/** The TypeError for a mistake in a route's declaration: what, what was given, what is allowed. */
export function invalid(what: string, given: unknown, allowed: string): TypeError {
  const sentence = `Invalid route: ${what} is ${show(given)}; allowed: ${allowed}`
  return new TypeError(/[.?]$/.test(sentence) ? sentence : `${sentence}.`)
}

/** `value` if it is one of `allowed`. */
export function oneOf<const T extends string | boolean>(
  value: unknown,
  allowed: readonly T[],
  what: string,
): T {
  const found = allowed.find((candidate) => candidate === value)
  if (found === undefined) throw invalid(what, value, allowed.map(show).join(' or '))
  return found
}

/**
 * `options` as a record without its undefined members, so that `{ acl: undefined }` means
 * the default.
 *
 * @throws TypeError if it is no object, or has a name that is not in `names`: a misspelt
 * limit must not silently be no limit.
 */
export function namedOptions(
  options: unknown,
  names: readonly string[],
  what: string,
): Readonly<Record<string, unknown>> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(what, options, 'an object of options, {} for the defaults')
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const stranger = given.find(([name]) => !names.includes(name))
  if (stranger) {
    const allowed = `${names.join(', ')}.${didYouMean(stranger[0], names)}`
    throw invalid(`a name in ${what}`, stranger[0], allowed)
  }
  return Object.fromEntries(given)
}

/** `parse(value)`, its TypeError reworded to name the option. */
export function parsed(
  parse: (value: string | number) => number,
  value: unknown,
  what: string,
): number {
  try {
    if (typeof value === 'string' || typeof value === 'number') return parse(value)
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new TypeError(`Invalid route: ${what}. ${cause.message}`, { cause })
  }
  throw invalid(what, value, 'a number or text with a unit')
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  return JSON.stringify(value) ?? String(value)
}
