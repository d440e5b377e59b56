const powers = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const
type Power = (typeof powers)[number]
type Binary = 'KiB' | 'MiB' | 'GiB' | 'TiB' | 'PiB'
type Unit = Power | Binary | 'kB' | Lowercase<Power | Binary>

/**
 * A size as a person writes it: `10MB`, `1.5 GiB`, `64 kb`, or a number of bytes.
 *
 * Every unit counts in steps of 1024: `1 MB` is `1 MiB` is 1,048,576 bytes. UploadThing
 * counts this way, so limits keep their meaning when an application switches.
 */
export type Size = number | `${number}${'' | ' '}${Unit}`

/**
 * Bytes of a size. A fraction of a byte is dropped (`1.5KB` is 1536, `0.3KB` is 307).
 * Text without a unit is bytes; spaces around and within, and upper or lower case, do not
 * matter.
 *
 * @throws TypeError if `size` is not a size, or above 2^53 − 1 bytes.
 */
export function parseSize(size: string | number): number {
  const bytes = typeof size === 'number' ? size : parseText(size)
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new TypeError(explain(size))
  return bytes
}

/**
 * Bytes for people, in steps of 1024 with at most two decimals: `0 B`, `1.5 KB`, `4 MB`.
 * Rounded down, so that a file below a limit never seems to have reached it.
 */
export function formatSize(bytes: number): string {
  let power = 0
  while (power < powers.length - 1 && bytes >= 1024 ** (power + 1)) power++
  const value = Math.floor((bytes / 1024 ** power) * 100) / 100
  return `${value} ${powers[power]}`
}

function parseText(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgtp])(?:i?b)?|b|bytes?)?$/i.exec(text.trim())
  if (!match) return Number.NaN
  const power = match[2] ? 'bkmgtp'.indexOf(match[2].toLowerCase()) : 0
  return Math.floor(Number(match[1]) * 1024 ** power)
}

function explain(given: unknown): string {
  return `Invalid size ${typeof given === 'string' ? JSON.stringify(given) : given}: write a whole number of bytes, or text such as "64KB", "10MB" or "1.5 GiB" (B, KB, MB, GB, TB, PB, each 1024 of the one before).`
}
