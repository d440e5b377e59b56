import { CarcosaError } from '../shared/errors.ts'
import { isProjectId } from '../shared/ids.ts'
import { didYouMean } from '../shared/suggest.ts'

/** What people call something: text of 1 to 200 characters. @throws {CarcosaError} BAD_REQUEST */
export function checkName(name: unknown): string {
  if (isProjectId(name) && name.trim() !== '') return name.trim()
  throw bad('name is text of 1 to 200 characters.')
}

/** @throws {CarcosaError} BAD_REQUEST */
export function checkSlug(slug: unknown): string {
  if (typeof slug === 'string' && /^[a-z0-9](-?[a-z0-9]){0,62}$/.test(slug)) return slug
  throw bad(
    'slug is 1 to 63 letters a to z and digits, with single hyphens between them.',
  )
}

/** A slug that nobody has, which begins like the name. */
export function slugFrom(name: string, unique: string): string {
  const begin = name.toLowerCase().normalize('NFKD')
  const words = begin.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '')
  const end = unique
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .slice(0, 10)
  return [words.slice(0, 40).replace(/-$/, ''), end].filter(Boolean).join('-')
}

/** @throws {CarcosaError} BAD_REQUEST, with the roles that there are */
export function checkRole(role: unknown, roles: readonly string[]): string {
  if (typeof role === 'string' && roles.includes(role)) return role
  const hint = typeof role === 'string' ? didYouMean(role, roles) : ''
  throw bad(
    `There is no role ${JSON.stringify(role)?.slice(0, 80)}.${hint} Roles are ${roles.join(', ')}.`,
  )
}

/** In lower case. @throws {CarcosaError} BAD_REQUEST */
export function checkEmail(email: unknown): string {
  if (isProjectId(email) && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
    return email.toLowerCase()
  throw bad('email must be an e-mail address.')
}

function bad(message: string): CarcosaError {
  return new CarcosaError('BAD_REQUEST', { message })
}
