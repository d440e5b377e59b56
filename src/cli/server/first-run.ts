import type { Carcosa } from '../../carcosa.ts'
import type { Config } from '../../config.ts'
import type { Mail } from '../../shared/accounts.ts'
import type { Io } from '../verb.ts'

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

type Owner = NonNullable<Awaited<ReturnType<Carcosa['api']['users']['createOwner']>>>

/** Says how to sign in on a server that has no other users yet. */
export function welcome({ login: { url, expiresAt } }: Owner, origin: string): string {
  const until = expiresAt.toISOString().slice(0, 16).replace('T', ' ')
  return `
There are no users yet. Open this link to sign in as the owner; it works once, until ${until} UTC:
  ${absolute(url, origin)}
`
}

/** Without the setting publicUrl only this machine knows how the server is reached. */
function absolute(link: string, origin: string): string {
  return link.startsWith('/') ? `${origin}${link}` : link
}
