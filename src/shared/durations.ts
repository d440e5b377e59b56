const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const units = {
  ms: 1,
  millisecond: 1,
  milliseconds: 1,
  s: second,
  sec: second,
  second,
  seconds: second,
  m: minute,
  min: minute,
  minute,
  minutes: minute,
  h: hour,
  hr: hour,
  hour,
  hours: hour,
  d: day,
  day,
  days: day,
  w: 7 * day,
  week: 7 * day,
  weeks: 7 * day,
} as const

/**
 * A span of time as a person writes it: `90s`, `30m`, `1.5 hours`, `2 days`, or a number
 * of milliseconds. `m` is minutes; a day has 24 hours; there are no months and years.
 */
export type Duration = number | `${number}${'' | ' '}${keyof typeof units}`

/**
 * Whole milliseconds of a duration. Text needs a unit, because `"60"` could be meant as
 * seconds as well as milliseconds; upper or lower case does not matter.
 *
 * @throws TypeError if `duration` is not a duration, is negative, or above 2^53 − 1 ms.
 */
export function parseDuration(duration: string | number): number {
  const ms = typeof duration === 'number' ? duration : parseText(duration)
  if (!Number.isSafeInteger(ms) || ms < 0) throw new TypeError(explain(duration))
  return ms
}

function parseText(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/.exec(text.trim().toLowerCase())
  const unit = match?.[2]
  if (!match || !unit || !isUnit(unit)) return Number.NaN
  return Math.round(Number(match[1]) * units[unit])
}

function isUnit(name: string): name is keyof typeof units {
  return Object.hasOwn(units, name)
}

function explain(given: unknown): string {
  return `Invalid duration ${typeof given === 'string' ? JSON.stringify(given) : given}: write a whole number of milliseconds, or text with a unit such as "90s", "30m", "12 hours" or "2 days".`
}
