import { shortestPassword } from '../../accounts/input.ts'

/** A page: what it says, and what it asks. */
export interface PageForm {
  readonly title: string
  readonly lead: string
  readonly fields: readonly Field[]
  readonly button: string
  readonly links: readonly { readonly to: string; readonly says: string }[]
}

interface Field {
  readonly name: string
  readonly label: string
  readonly type: 'email' | 'password' | 'text'
  /** By it password managers know what goes where. */
  readonly autocomplete: string
  readonly hint?: string
  readonly minLength?: number
}

const email: Field = {
  name: 'email',
  label: 'E-mail',
  type: 'email',
  autocomplete: 'username',
}

const name: Field = { name: 'name', label: 'Name', type: 'text', autocomplete: 'name' }

const password: Field = {
  name: 'password',
  label: 'Password',
  type: 'password',
  autocomplete: 'current-password',
}

const newPassword: Field = {
  ...password,
  label: 'New password',
  autocomplete: 'new-password',
  minLength: shortestPassword,
  hint: `At least ${shortestPassword} characters. A few words in a row are easy to remember.`,
}

const signIn = { to: 'sign-in', says: 'Sign in' }

/** The pages under `/auth`, by name. */
export const forms: Readonly<Record<string, PageForm>> = {
  'sign-in': {
    title: 'Sign in',
    lead: 'Welcome back.',
    fields: [email, password],
    button: 'Sign in',
    links: [
      { to: 'forgot', says: 'Forgot your password?' },
      { to: 'register', says: 'Make an account' },
    ],
  },
  register: {
    title: 'Make an account',
    lead: 'It takes an e-mail address and a password.',
    fields: [name, email, newPassword],
    button: 'Make an account',
    links: [signIn],
  },
  forgot: {
    title: 'Choose a new password',
    lead: 'Say which address is yours, and a link will be sent to it.',
    fields: [email],
    button: 'Send a link',
    links: [signIn],
  },
  'reset-password': {
    title: 'Choose a new password',
    lead: 'You will be signed out everywhere else.',
    fields: [newPassword],
    button: 'Save the password',
    links: [signIn, { to: 'forgot', says: 'Ask for another link' }],
  },
  login: {
    title: 'Welcome',
    lead: 'Choose a password, and the address you will sign in with.',
    fields: [email, newPassword],
    button: 'Save and go on',
    links: [signIn],
  },
  'verify-email': {
    title: 'Confirm your address',
    lead: 'One click, and you can sign in.',
    fields: [],
    button: 'Confirm',
    links: [signIn],
  },
  invitation: {
    title: 'You are invited',
    lead: 'Make an account with the address that the invitation was sent to.',
    fields: [name, email, newPassword],
    button: 'Join',
    links: [{ to: 'sign-in', says: 'I have an account' }],
  },
  account: {
    title: 'Your account',
    lead: 'Looking who is signed in …',
    fields: [],
    button: 'Sign out',
    links: [
      { to: 'change-password', says: 'Change the password' },
      { to: '../docs', says: 'REST API' },
    ],
  },
  'change-password': {
    title: 'Change your password',
    lead: 'You will be signed out everywhere else.',
    fields: [
      { ...password, name: 'currentPassword', label: 'Current password' },
      { ...newPassword, name: 'newPassword' },
    ],
    button: 'Save the password',
    links: [{ to: 'account', says: 'Back' }],
  },
}
