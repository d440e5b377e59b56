import { normalizeType, type TypeGroup, typeGroups } from '../shared/mime.ts'
import { parseSize, type Size } from '../shared/sizes.ts'
import type { TypeRule } from './definition.ts'
import { invalid, namedOptions, oneOf, parsed } from './invalid.ts'

/** What a route accepts: one of the groups, or one type such as `image/png`. */
export type FileType = TypeGroup | `${string}/${string}`

/** Options of one type of a route, with UploadThing's names and defaults. */
export interface TypeOptions<Properties = Record<string, unknown>> {
  /**
   * Largest file. Default `4MB` (image, pdf, single types), `8MB` (audio, blob), `16MB`
   * (video), `64KB` (text). MB is 1024 × 1024 bytes.
   */
  readonly maxFileSize?: Size
  /** Smallest file. Default 0. UploadThing has no such option. */
  readonly minFileSize?: Size
  /** Most files of this type in one batch. Default 1; `Infinity` for as many as they like. */
  readonly maxFileCount?: number
  /** Fewest files of this type in a batch that has any of them. Default 1. */
  readonly minFileCount?: number
  /** Whether browsers show the file or save it. Default `inline`. */
  readonly contentDisposition?: 'inline' | 'attachment'
  /** Who may read the file without a signature. Default `private` (UploadThing: per app). */
  readonly acl?: 'private' | 'public-read'
  /** Told to clients with the limits, never enforced: hints such as width and height. */
  readonly additionalProperties?: Properties
}

/** Hints a client may use to prepare images. */
export interface ImageProperties {
  readonly width?: number
  readonly height?: number
  /** Ignored if width and height are given. */
  readonly aspectRatio?: number
  readonly [key: string]: unknown
}

/** The types a route accepts, with their options or, as an array, with the defaults. */
export type RouteConfig =
  | readonly FileType[]
  | {
      readonly [Type in FileType]?: Type extends `image${string}`
        ? TypeOptions<ImageProperties>
        : TypeOptions
    }

const optionNames = [
  'maxFileSize',
  'minFileSize',
  'maxFileCount',
  'minFileCount',
  'contentDisposition',
  'acl',
  'additionalProperties',
] as const satisfies (keyof TypeOptions)[]

const defaultMaxFileSize: Record<TypeGroup, Size> = {
  image: '4MB',
  video: '16MB',
  audio: '8MB',
  pdf: '4MB',
  text: '64KB',
  blob: '8MB',
}

/**
 * Fills in defaults and checks every value, once, when the route is declared.
 *
 * @throws TypeError that names the option, the value given and what is allowed.
 */
export function parseRules(config: RouteConfig): Readonly<Record<string, TypeRule>> {
  if (typeof config !== 'object' || config === null) {
    throw invalid(
      'its config',
      config,
      'an array of types, or an object of type: options',
    )
  }
  const entries: [unknown, unknown][] = Array.isArray(config)
    ? config.map((type) => [type, {}])
    : Object.entries(config).filter(([, options]) => options !== undefined)
  if (entries.length === 0) throw invalid('its config', config, 'one type or more')

  // Types come from requests when they are looked up: no prototype, no `constructor` rule.
  const rules: Record<string, TypeRule> = Object.create(null)
  for (const [given, options] of entries) {
    const type = parseType(given)
    if (type in rules) throw invalid('a repeated type', given, 'each type once')
    rules[type] = parseRule(type, options)
  }
  return Object.freeze(rules)
}

function parseType(given: unknown): string {
  if (isGroup(given)) return given
  const type = typeof given === 'string' ? normalizeType(given) : null
  if (type === null || String(given).includes(';') || type.endsWith('/*')) {
    const groups = typeGroups.join(', ')
    throw invalid('a type', given, `${groups}, or a full type such as "image/png"`)
  }
  return type
}

function parseRule(type: string, options: unknown): TypeRule {
  const given = namedOptions(options, optionNames, `the options of "${type}"`)
  const option = (name: keyof TypeOptions) => `the option "${name}" of "${type}"`
  const usualMax = isGroup(type) ? defaultMaxFileSize[type] : '4MB'
  const rule = {
    maxFileSize: parsed(parseSize, given.maxFileSize ?? usualMax, option('maxFileSize')),
    minFileSize: parsed(parseSize, given.minFileSize ?? 0, option('minFileSize')),
    maxFileCount: parseCount(given.maxFileCount ?? 1, option('maxFileCount')),
    minFileCount: parseCount(given.minFileCount ?? 1, option('minFileCount')),
    contentDisposition: oneOf(
      given.contentDisposition ?? 'inline',
      ['inline', 'attachment'],
      option('contentDisposition'),
    ),
    acl: oneOf(given.acl ?? 'private', ['private', 'public-read'], option('acl')),
    ...parseProperties(given.additionalProperties, option('additionalProperties')),
  } satisfies TypeRule
  checkOrder(rule, option)
  return Object.freeze(rule)
}

function parseCount(value: unknown, what: string): number {
  // JSON, which carries the rules to clients, has no Infinity.
  if (value === Number.POSITIVE_INFINITY) return Number.MAX_SAFE_INTEGER
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw invalid(what, value, 'a whole number, 0 or more')
}

function checkOrder(rule: TypeRule, option: (name: keyof TypeOptions) => string): void {
  for (const [min, max] of [
    ['minFileSize', 'maxFileSize'],
    ['minFileCount', 'maxFileCount'],
  ] as const) {
    if (rule[max] < 1) throw invalid(option(max), rule[max], '1 or more')
    if (rule[min] > rule[max]) {
      throw invalid(option(min), rule[min], `at most ${max}, which is ${rule[max]}`)
    }
  }
}

function parseProperties(
  value: unknown,
  what: string,
): Pick<TypeRule, 'additionalProperties'> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(what, value, 'an object')
  }
  return { additionalProperties: Object.freeze({ ...value }) }
}

function isGroup(value: unknown): value is TypeGroup {
  return typeGroups.some((group) => group === value)
}
