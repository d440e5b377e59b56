import { CarcosaError } from '../shared/errors.ts'
import type { Principal } from './principal.ts'

const kinds: readonly unknown[] = ['user', 'api-key', 'service', 'anonymous']
const maxIdLength = 256

/** What the ids of API keys look like: nobody else may have one. */
export const keyIdPattern = /^key_[A-Za-z0-9_-]{24}$/

/**
 * A principal as a provider made it, if it is one. Everything behind it trusts it.
 *
 * @throws {TypeError} if the provider is wrong: no id, a kind that there is not
 * @throws {CarcosaError} UNAUTHENTICATED if the id is one that nobody can have
 */
export function checkPrincipal(principal: Principal, provider: string): Principal {
  const { id, kind } = principal
  const wrong = (what: string) =>
    new TypeError(`The auth provider "${provider}" returned a principal ${what}.`)
  if (typeof id !== 'string' || id === '') throw wrong('without an id')
  if (!kinds.includes(kind)) throw wrong(`of the kind ${JSON.stringify(kind)}`)
  for (const name of ['projectId', 'role'] as const) {
    const value: unknown = principal[name]
    if (value === undefined || (typeof value === 'string' && value !== '')) continue
    throw wrong(`whose ${name} is no text`)
  }
  if (id.length <= maxIdLength && isStorable(id) && isOwnKind(principal)) return principal
  throw new CarcosaError('UNAUTHENTICATED', {
    message: `The credential names an id that cannot be used: longer than ${maxIdLength} characters, with characters that are no text, or of the form that API keys have.`,
  })
}

function isOwnKind({ id, kind }: Principal): boolean {
  return kind === 'api-key' || !keyIdPattern.test(id)
}

/** The database would keep another text, and its owner would not be known again. */
function isStorable(id: string): boolean {
  return id.isWellFormed() && !id.includes('\0')
}
