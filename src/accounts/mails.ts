import type { Mail, Mailer } from '../shared/accounts.ts'
import type { Logger } from '../shared/logger.ts'

interface Addressee {
  readonly to: string
  readonly link: string
}

/** To confirm an address. */
export function verifyMail(addressee: Addressee): Mail {
  return mail(addressee, {
    kind: 'verify-email',
    subject: 'Confirm your e-mail address',
    says: 'Open this link to confirm that this address is yours:',
    ends: 'It works for 24 hours. If you did not ask for an account, do nothing.',
  })
}

/** To whoever owns an account that somebody tries to make again. */
export function registeredMail(addressee: Addressee): Mail {
  return mail(addressee, {
    kind: 'already-registered',
    subject: 'You have an account already',
    says: 'Somebody tried to make an account with this address, which has one. Sign in here:',
    ends: 'If it was not you, do nothing.',
  })
}

export function resetMail(addressee: Addressee): Mail {
  return mail(addressee, {
    kind: 'reset-password',
    subject: 'Choose a new password',
    says: 'Open this link to choose a new password:',
    ends: 'It works for an hour, once. If you did not ask for it, do nothing.',
  })
}

export function invitationMail(addressee: Addressee, organization: string): Mail {
  return mail(addressee, {
    kind: 'invitation',
    subject: `You are invited to ${organization}`,
    says: `Open this link to join ${organization}:`,
    ends: 'If you do not know who invited you, do nothing.',
  })
}

interface Content {
  readonly kind: Mail['kind']
  readonly subject: string
  readonly says: string
  readonly ends: string
}

function mail({ to, link }: Addressee, { kind, subject, says, ends }: Content): Mail {
  return {
    to,
    kind,
    subject: subject.replaceAll(/\s+/g, ' '),
    text: `${says}\n\n${link}\n\n${ends}\n`,
    link,
  }
}

/** Where mail goes if there is no mailer. The text is one line, so that logs keep it whole. */
export function loggingMailer(log: Logger): Mailer {
  return ({ to, kind, subject, link }) => {
    log.warn({ to, kind, subject }, `No mailer is configured; the link is ${link}`)
  }
}
