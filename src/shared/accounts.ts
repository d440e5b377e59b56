/** Who may make an account. */
export type SignUp = 'open' | 'invited' | 'closed'

/** The option `accounts`: people who sign in, kept in this database. */
export interface AccountsOptions {
  /**
   * `open`: everybody; `invited`: who was sent an invitation; `closed`: nobody, people are made by
   * `carcosa users create`. Default `invited`.
   */
  readonly signUp?: SignUp
  /**
   * Sends a mail. What it throws is logged, and nobody else learns of it. Default: the mail is
   * printed (`carcosa start`) or logged, which is for development.
   */
  readonly mailer?: Mailer
  /** How long somebody stays signed in who does not come back: milliseconds or `30d`. Default 14 days. */
  readonly sessionLifetime?: number | string
  /** Whether an address must be confirmed before its owner may sign in. Default true. */
  readonly verifyEmail?: boolean
}

/** The option with its defaults; `sessionLifetime` in ms. */
export interface AccountsConfig {
  readonly signUp: SignUp
  readonly mailer?: Mailer | undefined
  readonly sessionLifetime: number
  readonly verifyEmail: boolean
}

export type Mailer = (mail: Mail) => Promise<void> | void

/** A mail to one person, ready to be sent. */
export interface Mail {
  readonly to: string
  readonly kind: 'verify-email' | 'reset-password' | 'already-registered' | 'invitation'
  readonly subject: string
  /** Plain text, with the link in it. */
  readonly text: string
  /** Absolute where `publicUrl` is configured. */
  readonly link: string
}

/** Who a server begins with, until they say who they are. */
export const ownerEmail = 'owner@carcosa.local'
