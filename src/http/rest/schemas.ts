import { z } from '@hono/zod-openapi'

/** Schemas that resources are made of. */

/** Text as Postgres can keep it: neither NUL nor half a character. */
export function text(max: number, min = 1) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), {
      message: 'Invalid text: it contains what cannot be stored',
    })
}

/** A time in an answer, e.g. `2026-11-26T20:00:00.000Z`. */
export const time = z.iso.datetime()

/** As {@link time} has it. */
export function iso(date: Date): string
export function iso(date: Date | null): string | null
export function iso(date: Date | null): string | null {
  return date && date.toISOString()
}

/** A time in a query or body; with any offset. */
export const givenTime = z.iso
  .datetime({ offset: true })
  .transform((given) => new Date(given))
  .openapi({ type: 'string', format: 'date-time' })

/** A whole number in a query. */
export function count({ min, max, usual }: { min: number; max: number; usual: number }) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'Invalid input: expected a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .default(usual)
    .openapi({ type: 'integer', minimum: min, maximum: max, default: usual })
}

/** `true` or `false` in a query. */
export const flag = z
  .enum(['true', 'false'])
  .transform((given) => given === 'true')
  .default(false)
  .openapi({ type: 'boolean', default: false })

/** What every list takes. */
export const pageQuery = {
  limit: count({ min: 1, max: 500, usual: 50 }).openapi({
    description: 'Most that are listed.',
  }),
  cursor: text(1_000)
    .optional()
    .openapi({ description: '`nextCursor` of the page before.' }),
}

/** A page of a list: `{ files: […], nextCursor }`. */
export function page<Name extends string, Item extends z.ZodType>(
  name: Name,
  item: Item,
) {
  const nextCursor = z.string().nullable().openapi({
    description: 'Give it as `cursor` for the next page; null on the last one.',
  })
  // A computed name makes the type of an object a dictionary.
  const list = { [name]: z.array(item) } as Record<Name, z.ZodArray<Item>>
  return z.object({ ...list, nextCursor })
}

/** The parameters of a path, by the names in its braces. */
export function pathParams(path: string) {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  return z.object(Object.fromEntries(names.map((name) => [name, text(256)])))
}
