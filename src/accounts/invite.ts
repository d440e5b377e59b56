import type { AccountsConfig } from '../shared/accounts.ts'
import type { Logger } from '../shared/logger.ts'
import type { Invitation } from './invitation-rows.ts'
import { invitationMail, loggingMailer } from './mails.ts'

/** Tells somebody that they are invited, without anybody waiting for it. */
export type Invite = (invitation: Invitation, organization: string) => void

export interface InviteDeps {
  readonly config: AccountsConfig
  /** What the links begin with. */
  readonly base: string
  readonly log: Logger
  /** Does work that closing waits for. */
  run(work: () => Promise<unknown>): Promise<unknown>
}

/** What the mailer fails with is logged: the invitation is there, and can be sent again. */
export function createInvite({ config, base, log, run }: InviteDeps): Invite {
  const mailer = config.mailer ?? loggingMailer(log)
  return ({ id, email: to }, organization) => {
    const link = `${base}/auth/invitation#${id}`
    run(async () => mailer(invitationMail({ to, link }, organization))).catch((err) =>
      log.error({ err, id }, 'an invitation could not be sent'),
    )
  }
}
