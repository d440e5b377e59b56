import type { Statement } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { asked, type Caller, type Core, type Entered, type Sender } from './core.ts'
import { emailOf, newPasswordOf, objectOf, passwordOf, textOf } from './input.ts'
import { useLink } from './links.ts'
import { codeOf } from './refusals.ts'
import { tellSessions } from './session-check.ts'
import { deleteExpired, deleteSession, insertSession } from './session-rows.ts'
import { findUser } from './user-rows.ts'

/** The ways in, and out. `body` is what the client sent. */
export interface SignIn {
  /**
   * `{ email, password, name, invitation? }`. Null: the address must be confirmed first; the answer
   * is the same where there is an account already.
   * @throws {CarcosaError} SIGN_UP_CLOSED, INVITATION_NEEDED, EMAIL_TAKEN, PASSWORD_INVALID, BAD_REQUEST
   */
  register(body: unknown, sender: Sender): Promise<Entered | null>
  /**
   * `{ email, password }`.
   * @throws {CarcosaError} INVALID_CREDENTIALS, EMAIL_NOT_VERIFIED, USER_DISABLED, BAD_REQUEST
   */
  login(body: unknown, sender: Sender): Promise<Entered>
  /** `{ token }` of a link that signs in once. @throws {CarcosaError} LINK_INVALID, USER_DISABLED */
  loginByLink(body: unknown, sender: Sender): Promise<Entered>
  logout(caller: Caller): Promise<void>
}

export function createSignIn(core: Core): SignIn {
  const { db, channel, config, engine, tokens } = core

  const entered = (token: string, user: Entered['user']): Entered => ({
    credential: tokens.seal(token),
    expiresAt: new Date(Date.now() + config.sessionLifetime),
    user: { id: user.id, email: user.email, name: user.name },
  })

  return {
    async register(body, sender) {
      const { email: given, password: wanted, name: called, invitation } = objectOf(body)
      if (config.signUp === 'closed') throw new CarcosaError('SIGN_UP_CLOSED')
      const email = emailOf(given)
      const password = newPasswordOf(wanted)
      const name = textOf('name', called)
      if (config.signUp === 'invited') await assertInvited(core, invitation, email)
      const headers = await core.headersOf(sender)
      const sign = () => engine.signUp({ email, password, name }, headers)
      const { token, user } = await asked(
        sign().catch((error) => {
          // Somebody made the same account at the same time: now it is seen that there is one.
          if (codeOf(error) === 'FAILED_TO_CREATE_USER') return sign()
          throw error
        }),
      )
      return token === null ? null : entered(token, user)
    },
    async login(body, sender) {
      const { email: given, password: sent } = objectOf(body)
      const [email, password] = [emailOf(given), passwordOf(sent)]
      const headers = await core.headersOf(sender)
      const { token, user } = await asked(engine.signIn({ email, password }, headers))
      // What is over goes with what is new.
      core.later(() => deleteExpired(db))
      return entered(token, user)
    },
    async loginByLink(body, sender) {
      const userId = await useLink(db, 'login', textOf('token', objectOf(body).token))
      const user = userId === null ? null : await findUser(db, userId)
      if (!user) throw new CarcosaError('LINK_INVALID')
      const token = newId() + newId()
      const made = await insertSession(db, {
        ...{ id: `ses_${newId()}`, token, userId: user.id },
        seconds: config.sessionLifetime / 1_000,
        ipAddress: sender.address,
        userAgent: sender.userAgent?.slice(0, 300) ?? null,
      })
      if (!made) throw new CarcosaError('USER_DISABLED')
      return entered(token, user)
    },
    async logout({ session: { row } }) {
      await deleteSession(db, row.userId, row.id)
      tellSessions(channel, row.userId)
    },
  }
}

/** The invitation's id cannot be guessed, so that nobody finds out here who is invited. */
async function assertInvited({ db }: Core, id: unknown, email: string): Promise<void> {
  const isText = typeof id === 'string' && id.length <= 64
  const found = isText ? await db.query(invitedStatement, [id, email]) : []
  if (found.length === 0) throw new CarcosaError('INVITATION_NEEDED')
}

const invitedStatement: Statement = {
  name: 'invitation_pending',
  sql: `SELECT id FROM carcosa.organization_invitation
WHERE id = $1 AND email = $2 AND status = 'pending' AND expires_at > now()`,
}
