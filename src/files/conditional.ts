/** What conditional requests compare with. */
export interface Validators {
  /** A strong entity tag with its quotes. */
  etag: string
  /** When the content last changed; only whole seconds count, as in the header. */
  lastModified: Date | null
}

/** `proceed`: answer normally. `unchanged`: 304. `failed`: 412. */
export type Precondition = 'proceed' | 'unchanged' | 'failed'

/**
 * Evaluates the preconditions of a GET or HEAD on something that exists, in the order of
 * RFC 9110 §13.2.2: `If-Match`, else `If-Unmodified-Since`; then `If-None-Match`, else
 * `If-Modified-Since`. A date that is not an HTTP date is ignored, as the RFC asks.
 */
export function evaluatePreconditions(
  headers: Headers,
  validators: Validators,
): Precondition {
  return requireUnchanged(headers, validators) ?? requireChanged(headers, validators)
}

/**
 * Whether a `Range` header counts: `If-Range` is absent, or names the content as it is,
 * RFC 9110 §13.1.5. Weak tags never match. A date must be equal to the second; it is strong
 * enough here because the bytes of a file never change (§8.8.2.2).
 */
export function rangeApplies(headers: Headers, validators: Validators): boolean {
  const condition = headers.get('if-range')?.trim()
  if (condition === undefined) return true
  if (condition.startsWith('"')) return condition === validators.etag
  const date = parseHttpDate(condition)
  return date !== null && date === secondsOf(validators.lastModified)
}

function requireUnchanged(headers: Headers, validators: Validators): 'failed' | null {
  const tags = headers.get('if-match')
  if (tags !== null) return matches(tags, validators.etag, 'strong') ? null : 'failed'
  const since = dateOf(headers, 'if-unmodified-since')
  const modified = secondsOf(validators.lastModified)
  return since !== null && modified !== null && modified > since ? 'failed' : null
}

function requireChanged(
  headers: Headers,
  validators: Validators,
): 'proceed' | 'unchanged' {
  const tags = headers.get('if-none-match')
  if (tags !== null)
    return matches(tags, validators.etag, 'weak') ? 'unchanged' : 'proceed'
  const since = dateOf(headers, 'if-modified-since')
  const modified = secondsOf(validators.lastModified)
  return since !== null && modified !== null && modified <= since
    ? 'unchanged'
    : 'proceed'
}

/** Whether a list of entity tags, or `*`, names `etag`; a malformed list names nothing. */
function matches(list: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true
  // A tag may contain a comma, so the list cannot simply be split.
  if (!/^[ \t,]*(?:W\/)?"[^"]*"(?:[ \t]*,[ \t,]*(?:W\/)?"[^"]*")*[ \t,]*$/.test(list)) {
    return false
  }
  const tags = list.match(/(?:W\/)?"[^"]*"/g) ?? []
  return tags.some(
    (tag) => (comparison === 'weak' ? tag.replace(/^W\//, '') : tag) === etag,
  )
}

function dateOf(headers: Headers, name: string): number | null {
  const value = headers.get(name)
  return value === null ? null : parseHttpDate(value.trim())
}

function secondsOf(date: Date | null): number | null {
  return date && Math.floor(date.getTime() / 1000)
}

const day = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const month = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const time = '\\d\\d:\\d\\d:\\d\\d'

/** The three forms of RFC 9110 §5.6.7; `Date.parse` alone would take nearly anything. */
const httpDates = [
  new RegExp(`^${day}, \\d\\d ${month} \\d{4} ${time} GMT$`),
  new RegExp(
    `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \\d\\d-${month}-\\d\\d ${time} GMT$`,
  ),
  new RegExp(`^${day} ${month} [ \\d]\\d ${time} \\d{4}$`),
]

/** Seconds since 1970, or null if `value` is not an HTTP date. */
function parseHttpDate(value: string): number | null {
  if (!httpDates.some((form) => form.test(value))) return null
  // asctime() names no zone and means GMT, which Date.parse would take as local time.
  const milliseconds = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`)
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000
}
