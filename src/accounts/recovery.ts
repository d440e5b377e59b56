import { CarcosaError } from '../shared/errors.ts'
import { asked, type Caller, type Core, type Entered } from './core.ts'
import { emailOf, newPasswordOf, objectOf, passwordOf, textOf } from './input.ts'
import { createLink, useLink } from './links.ts'
import { verifyMail } from './mails.ts'
import { tellSessions } from './session-check.ts'
import { deleteSessions } from './session-rows.ts'
import { findUser, hasPassword, setIdentity, setVerified } from './user-rows.ts'

/** Proving who one is, and passwords. `body` is what the client sent. */
export interface Recovery {
  /** `{ token }`. @throws {CarcosaError} LINK_INVALID */
  verifyEmail(body: unknown): Promise<void>
  /** `{ email }`: sends another link, if there is an account that waits for it. Never tells. */
  resendVerification(body: unknown): void
  /** `{ email }`: sends a link to choose a new password, if there is an account. Never tells. */
  forgotPassword(body: unknown): void
  /** `{ token, password }`: ends all sessions. @throws {CarcosaError} LINK_INVALID, PASSWORD_INVALID */
  resetPassword(body: unknown): Promise<void>
  /**
   * `{ newPassword, currentPassword }`, or for who has none yet
   * `{ newPassword, email?, name? }`. Ends all other sessions.
   * @returns the session that takes the place of this one; null if it stays
   * @throws {CarcosaError} INVALID_CREDENTIALS, PASSWORD_INVALID, EMAIL_TAKEN
   */
  changePassword(body: unknown, caller: Caller): Promise<Entered | null>
}

export function createRecovery(core: Core): Recovery {
  const { db, channel, config, engine, tokens } = core

  return {
    async verifyEmail(body) {
      const token = textOf('token', objectOf(body).token)
      const userId = await useLink(db, 'verify-email', token)
      if (userId === null) throw new CarcosaError('LINK_INVALID')
      await setVerified(db, userId)
      tellSessions(channel, userId)
    },
    resendVerification(body) {
      const email = emailOf(objectOf(body).email)
      core.later(async () => {
        const user = await findUser(db, email)
        if (user && !user.emailVerified) await sendVerification(core, user)
      })
    },
    forgotPassword(body) {
      const email = emailOf(objectOf(body).email)
      core.later(() => engine.requestReset(email))
    },
    async resetPassword(body) {
      const { token: sent, password } = objectOf(body)
      const token = textOf('token', sent)
      const newPassword = newPasswordOf(password)
      await asked(engine.resetPassword({ token, newPassword }))
    },
    async changePassword(body, caller) {
      const { newPassword: wanted, currentPassword, email, name } = objectOf(body)
      const newPassword = newPasswordOf(wanted)
      const { row, token } = caller.session
      const headers = await core.headersOf(caller, token)
      if (!(await hasPassword(db, row.userId))) {
        await identify(core, row.userId, { email, name })
        await asked(engine.setPassword(newPassword, headers))
        await deleteSessions(db, row.userId, row.id)
        tellSessions(channel, row.userId)
        return null
      }
      const changed = await asked(
        engine.changePassword(
          { newPassword, currentPassword: passwordOf(currentPassword) },
          headers,
        ),
      )
      tellSessions(channel, row.userId)
      if (changed.token === null) return null
      const expiresAt = new Date(Date.now() + config.sessionLifetime)
      const { id, email: address, name: called } = changed.user
      const user = { id, email: address, name: called }
      return { credential: tokens.seal(changed.token), expiresAt, user }
    },
  }
}

/** Sends a link that confirms the address of a user. */
export async function sendVerification(
  core: Core,
  user: { id: string; email: string },
): Promise<void> {
  const { token } = await createLink(core.db, 'verify-email', user.id)
  core.send(verifyMail({ to: user.email, link: core.linkTo('verify-email', token) }))
}

/** Who was made by an operator, or is the first owner, says once who they are. */
async function identify(
  { db }: Core,
  userId: string,
  given: { email: unknown; name: unknown },
): Promise<void> {
  const email = given.email === undefined ? null : emailOf(given.email)
  const name = given.name === undefined ? null : textOf('name', given.name)
  if (await setIdentity(db, userId, { email, name })) return
  throw new CarcosaError('EMAIL_TAKEN')
}
