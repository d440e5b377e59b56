const units = ['B', 'KB', 'MB', 'GB', 'TB']

/** Between a number and its unit, which no line break may part. */
const gap = '\u00a0'

/**
 * Bytes for people, in steps of 1024 like the sentences of the server, with three digits
 * that count: `0 B`, `12.3 MB`, `1.00 GB`.
 */
export function formatBytes(bytes: number): string {
  let power = 0
  // 1023.95 would be written as "1024".
  while (power < units.length - 1 && bytes >= 999.5 * 1024 ** power) power++
  const value = bytes / 1024 ** power
  return `${value.toFixed(decimals(value, power))}${gap}${units[power]}`
}

/** Seconds for people, never more exact than they are: `9 s`, `2 min`, `1 h 20 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))}${gap}s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes}${gap}min`
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `${Math.round(hours / 24)}${gap}days`
  const rest = minutes % 60
  return rest === 0 ? `${hours}${gap}h` : `${hours}${gap}h${gap}${rest}${gap}min`
}

/** `43 %`; 100 only for what is complete. */
export function formatFraction(fraction: number): string {
  return `${Math.floor(fraction * 100)}${gap}%`
}

/** `1 file`, `3 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** The parts that there are, with points between them that begin no line. */
export function join(...parts: readonly (string | number | false | null)[]): string {
  return parts.filter((part) => part).join(`${gap}· `)
}

function decimals(value: number, power: number): number {
  if (power === 0 || value >= 99.95) return 0
  return value >= 9.995 ? 1 : 2
}
