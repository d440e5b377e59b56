import { parseSize } from './sizes.ts'

/** What a project may store at most; what is not given, or null, is not limited. */
export interface QuotaOptions {
  /** Bytes, or text such as `10GB`: of stored files and what uploads have reserved. */
  bytes?: number | string | null
  files?: number | null
  /** The same for each owner within it; files of nobody count for the project alone. */
  perOwner?: { bytes?: number | string | null; files?: number | null }
}

/** The same with every default filled in; null is no limit. */
export interface QuotaLimits {
  readonly bytes: number | null
  readonly files: number | null
  readonly perOwner: { readonly bytes: number | null; readonly files: number | null }
}

const none = Object.freeze({ bytes: null, files: null })

export const noLimits: QuotaLimits = Object.freeze({ ...none, perOwner: none })

/** @throws TypeError if it is no quota; `false` and null are none at all */
export function parseQuota(given: unknown): QuotaLimits {
  if (given === false || given === null) return noLimits
  const { perOwner, ...project } = objectOf(given, ['bytes', 'files', 'perOwner'])
  const owner = perOwner === undefined ? {} : objectOf(perOwner, ['bytes', 'files'])
  if (Object.keys({ ...project, ...owner }).length === 0) throw wrong(given)
  return { ...sharesOf(project), perOwner: sharesOf(owner) }
}

function sharesOf({ bytes, files }: Record<string, unknown>) {
  return { bytes: bytesOf(bytes), files: filesOf(files) }
}

/** `off`, or such as `bytes=10GB,files=1000,perOwner.bytes=1GB`. @throws TypeError */
export function parseQuotaText(text: string): QuotaLimits {
  if (text === 'off') return noLimits
  const given: Record<string, unknown> = {}
  const perOwner: Record<string, unknown> = {}
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.trim().split('=', 2)
    const target = name.startsWith('perOwner.') ? perOwner : given
    const key = name.replace(/^perOwner\./, '')
    if (!['bytes', 'files'].includes(key) || key in target) throw wrong(part)
    target[key] = key === 'files' ? numberOf(value) : value
  }
  const hasOwner = Object.keys(perOwner).length > 0
  return parseQuota({ ...given, ...(hasOwner && { perOwner }) })
}

export function isLimited({ bytes, files, perOwner }: QuotaLimits): boolean {
  const limits = [bytes, files, perOwner.bytes, perOwner.files]
  return limits.some((limit) => limit !== null)
}

function objectOf(given: unknown, allowed: readonly string[]): Record<string, unknown> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw wrong(given)
  const unknown = Object.keys(given).find((name) => !allowed.includes(name))
  if (unknown !== undefined) throw wrong(unknown)
  return { ...given }
}

function bytesOf(given: unknown): number | null {
  if (given === undefined || given === null) return null
  if (typeof given === 'number' || typeof given === 'string') return parseSize(given)
  throw wrong(given)
}

function filesOf(given: unknown): number | null {
  if (given === undefined || given === null) return null
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0) return given
  throw wrong(given)
}

function numberOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN
}

function wrong(given: unknown): TypeError {
  const shown = typeof given === 'string' ? JSON.stringify(given.slice(0, 64)) : 'this'
  return new TypeError(
    `${shown} is no quota: give bytes (such as "10GB"), files (a whole number) and perOwner with the same two.`,
  )
}
