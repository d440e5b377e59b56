import type { CarcosaOptions } from '../../src/config.ts'
import type { AccountsOptions, Mail } from '../../src/shared/accounts.ts'
import type { Answered } from './exchange.ts'
import { startServer, type TestServer } from './server.ts'

/** A server with accounts, on which anybody may sign up unless said otherwise. */
export interface AccountsServer extends TestServer {
  /** What was sent, oldest first. */
  readonly mails: Mail[]
  /** Calls an operation below `/auth`, or any path that starts with a slash. */
  call(operation: string, options?: Call): Promise<Answered>
  /** The token in the newest mail of a kind to somebody; waits for it. */
  mailed(kind: Mail['kind'], to: string): Promise<string>
  /** Signs somebody up, confirms their address, and signs them in. */
  person(name: string): Promise<Person>
}

export interface Call {
  /** Default POST with a body, else GET. */
  method?: string
  body?: unknown
  /** The credential of a session, sent as a cookie by a page of this server. */
  cookie?: string
  /** The same as a bearer token. */
  bearer?: string
  headers?: Record<string, string>
}

export interface Person {
  readonly id: string
  readonly email: string
  /** The credential of their session. */
  readonly token: string
}

export const password = 'correct horse battery staple'

export async function startAccounts(
  accounts: AccountsOptions = {},
  options: Partial<CarcosaOptions> = {},
): Promise<AccountsServer> {
  const mails: Mail[] = []
  const mailer = (mail: Mail) => void mails.push(mail)
  const server = await startServer({
    auth: [],
    accounts: { signUp: 'open', mailer, ...accounts },
    ...options,
  })
  const host = `127.0.0.1:${server.port}`

  const call: AccountsServer['call'] = (operation, options = {}) => {
    const { body, cookie, bearer, headers } = options
    return server.doors.http({
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      path: operation.startsWith('/') ? operation : `/auth/${operation}`,
      headers: {
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(cookie && {
          Cookie: `carcosa_session=${cookie}`,
          Origin: `http://${host}`,
        }),
        ...(bearer && { Authorization: `Bearer ${bearer}` }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  const mailed: AccountsServer['mailed'] = async (kind, to) => {
    for (const until = Date.now() + 5_000; Date.now() < until; ) {
      const mail = mails.findLast((one) => one.kind === kind && one.to === to)
      if (mail) return mail.link.split('#')[1] ?? ''
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error(`no mail ${kind} came to ${to}`)
  }

  return {
    ...server,
    mails,
    call,
    mailed,
    async person(name) {
      const email = `${name}@example.com`
      await call('register', { body: { email, password, name } })
      if (accounts.verifyEmail !== false) {
        await call('verify-email', {
          body: { token: await mailed('verify-email', email) },
        })
      }
      const entered = await call('login', { body: { email, password } })
      const { user, token } = entered.json() as { user: Person; token: string }
      return { id: user.id, email, token }
    },
  }
}
