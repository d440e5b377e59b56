import type { Carcosa } from '../../carcosa.ts'
import type { Config } from '../../config.ts'
import { type Mail, ownerEmail } from '../../shared/accounts.ts'
import type { Io } from '../verb.ts'
import { isPostgres } from './describe.ts'

/**
 * Accounts whose mail is printed where nobody sends it, which is for development: whoever reads the
 * output may open every link.
 */
export function printedMail({ accounts }: Config, io: Io) {
  let origin = ''
  const mailer = ({ to, subject, link }: Mail) => {
    io.stdout.write(`\nMail to ${to}: ${subject}\n  ${absolute(link, origin)}\n`)
  }
  return {
    accounts: accounts && { ...accounts, mailer: accounts.mailer ?? mailer },
    /** Known once the server listens. */
    reachedAt(url: string) {
      origin = url
    },
  }
}

/** How to sign in where nobody ever has; without a link where another process made one. */
interface FirstSignIn {
  readonly login: { readonly url: string; readonly expiresAt: Date } | null
}

/**
 * Makes the owner of a server without users, or, where they were made but never signed in,
 * another link for them. Null if somebody is there.
 */
export async function firstSignIn(
  { api }: Carcosa,
  { database }: Config,
): Promise<FirstSignIn | null> {
  const owner = await api.users.createOwner()
  if (owner) return { login: owner.login }
  // Until they say who they are.
  const waiting = await api.users.get(ownerEmail)
  if (!waiting) return null
  // Several nodes start on one Postgres, and each link that is made works.
  if (isPostgres(database)) return { login: null }
  return { login: await api.users.createLoginLink(waiting.id) }
}

/** Says how to sign in on a server whose owner never has. */
export function welcome({ login }: FirstSignIn, origin: string): string {
  if (!login) {
    return `
The owner has no password yet. If the link that was printed first is lost, make another one:
  npx carcosa users login-link ${ownerEmail}
`
  }
  const until = login.expiresAt.toISOString().slice(0, 16).replace('T', ' ')
  return `
Nobody is the owner yet. Open this link and choose a password; it works once, until ${until} UTC:
  ${absolute(login.url, origin)}
`
}

/** Without the setting publicUrl only this machine knows how the server is reached. */
function absolute(link: string, origin: string): string {
  return link.startsWith('/') ? `${origin}${link}` : link
}
