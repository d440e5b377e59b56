import { z } from 'zod'
import type { Store } from '../../stores/store.ts'
import { type Grant, isGrant } from '../auth/roles.ts'
import type { Mailer } from '../shared/accounts.ts'
import { parseDuration } from '../shared/durations.ts'
import { isNetwork } from '../shared/networks.ts'
import { parseQuota, parseQuotaText } from '../shared/quota.ts'
import { parseRateLimits, parseRateLimitText } from '../shared/rate-limits.ts'
import { parseSize } from '../shared/sizes.ts'

// What the values of the settings may be, wherever they come from; settings.ts says which
// setting takes which and puts it into words.

export const port = z.number().int().min(0).max(65_535)

export const portText = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .pipe(port)

/** How many of something. */
export const count = z.number().int().min(0).max(1e9)

export const countText = z
  .string()
  .regex(/^\d{1,10}$/)
  .transform(Number)
  .pipe(count)

export const host = z.string().regex(/^(?!.*\/\/)[A-Za-z0-9.:_%-]+$/)

export const path = z.string().regex(/^[^\0]*\S[^\0]*$/)

const anyDuration = z.union([z.number(), z.string()]).transform((value, context) => {
  try {
    return parseDuration(value)
  } catch (error) {
    context.addIssue({ code: 'custom', message: String(error) })
    return z.NEVER
  }
})

/** Bytes, or text such as `128MB`. */
export const size = z.union([z.number(), z.string()]).transform((value, context) => {
  try {
    return parseSize(value)
  } catch {
    context.addIssue({ code: 'custom', message: 'not a size' })
    return z.NEVER
  }
})

export const duration = anyDuration.pipe(z.number().min(0).max(1e13))

/** Zero needs no unit. */
export const durationText = z
  .string()
  .transform((text): string | number => (text === '0' ? 0 : text))
  .pipe(duration)

export const positiveDuration = anyDuration.pipe(z.number().positive().max(1e13))

/** What a timer of Node can wait for: more than 24 days would be no time at all. */
export const timerDuration = duration.pipe(
  z
    .number()
    .positive()
    .max(2 ** 31 - 1),
)

/** What `parse` makes of it, if it does not throw. */
function parsedBy<In, Out>(schema: z.ZodType<In>, parse: (value: In) => Out) {
  return schema.transform((value, context): Out => {
    try {
      return parse(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: String(error) })
      return z.NEVER
    }
  })
}

export const rateLimits = parsedBy(z.unknown(), parseRateLimits)

export const rateLimitsText = parsedBy(z.string(), parseRateLimitText)

export const quota = parsedBy(z.unknown(), parseQuota)

export const quotaText = parsedBy(z.string(), parseQuotaText)

export const networks = z.array(z.string().refine(isNetwork))

export const networksText = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(networks)

export const database = z
  .string()
  .min(1)
  .refine((value) => isPostgresUrl(value) || value === 'memory://' || isDirectory(value))

export const postgresUrl = z.string().refine(isPostgresUrl)

export const redisUrl = z
  .string()
  .refine((value) => /^rediss?:\/\/./.test(value) && URL.canParse(value))

/** Which names there are is known where they are used. */
export const names = z.array(z.string().min(1)).min(1)

export const namesText = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(names)

const secret = z
  .string()
  .min(32)
  .regex(/^[^\s\0]+$/)

const secrets = z.array(secret).min(1)

/** One secret or several; always a list inside. */
export const secretList = z.union([secret.transform((value) => [value]), secrets])

export const secretText = z
  .string()
  .transform((value) => value.trim().split(/\s+/))
  .pipe(secrets)

export const basePath = z
  .string()
  .regex(/^(\/[A-Za-z0-9._~-]+)*\/?$/)
  .refine((value) => !/\/\.{1,2}(\/|$)/.test(value))
  .transform((value) => value.replace(/\/$/, ''))

export const publicUrl = z
  .string()
  .refine(isPlainHttpUrl)
  .transform((value) => new URL(value).href.replace(/\/$/, ''))

const origin = z
  .string()
  .refine((value) => isPlainHttpUrl(value) && new URL(value).pathname === '/')
  .transform((value) => new URL(value).origin)

const origins = z.union([z.literal('*'), z.array(origin)])

export const cors = z.strictObject({ origins })

export const corsText = z
  .string()
  .transform((text) => ({ origins: originsOf(text) }))
  .pipe(cors)

export const booleanText = z.stringbool({
  truthy: ['true', '1'],
  falsy: ['false', '0'],
  case: 'sensitive',
})

const signUp = z.enum(['invited', 'open', 'closed'])
const accountDefaults = {
  signUp: 'invited',
  sessionLifetime: 14 * 24 * 3_600_000,
  verifyEmail: true,
} as const

const accountOptions = z.strictObject({
  signUp: signUp.default(accountDefaults.signUp),
  mailer: z.custom<Mailer>((value) => typeof value === 'function').optional(),
  sessionLifetime: positiveDuration
    .pipe(z.number().min(60_000))
    .default(accountDefaults.sessionLifetime),
  verifyEmail: z.boolean().default(accountDefaults.verifyEmail),
})

/** `true` is all defaults. */
export const accounts = z.union([
  z.literal(false),
  z.literal(true).transform(() => accountDefaults),
  accountOptions,
])

export const accountsText = z
  .enum(['off', 'false', 'on', 'true', ...signUp.options])
  .transform((text) => {
    if (text === 'off' || text === 'false') return false as const
    const isDefault = text === 'on' || text === 'true'
    return { ...accountDefaults, ...(!isDefault && { signUp: text }) }
  })

/** Grants by the name of the role; the name is what a principal says. */
export const roles = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
  z.array(z.custom<Grant>(isGrant)),
)

/** An object of somebody else's making whose `members` are objects or functions. */
export function having<T>(...members: string[]): z.ZodType<T> {
  return z.custom<T>(
    (value) =>
      isObject(value) && members.every((name) => isObject(Reflect.get(value, name))),
  )
}

/** Which stores there are is known where they are made. */
export const storeUrl = z.string().regex(/^[a-z][a-z0-9]*:[^\s\0]+$/)

/** One store, or several by name. */
export const stores = z.union([
  having<Store>('write', 'open'),
  storeUrl,
  z
    .record(z.string(), z.union([having<Store>('write', 'open'), storeUrl]))
    .refine((named) => Object.keys(named).length > 0),
])

function isObject(value: unknown): value is object {
  return (typeof value === 'object' || typeof value === 'function') && value !== null
}

function isPostgresUrl(value: string): boolean {
  return /^postgres(ql)?:\/\/./.test(value) && URL.canParse(value)
}

/** `localhost:5432/x` and `mysql://…` would be directories too, but nobody means that. */
function isDirectory(value: string): boolean {
  return value.trim() !== '' && !/^[a-z][a-z0-9+.-]+:|^[\w.-]+:\d|\0/i.test(value)
}

function isPlainHttpUrl(value: string): boolean {
  if (!/^https?:\/\/[^\s?#@\\]+$/.test(value)) return false
  return URL.canParse(value)
}

function originsOf(text: string): string | string[] {
  if (text === '*') return '*'
  return text === 'none' ? [] : text.split(',').map((part) => part.trim())
}
