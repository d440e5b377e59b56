import type { Io } from '../verb.ts'
import { required } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { readUser, showLink } from './users-link.ts'

/** `carcosa users login-link`. */
export async function loginLink(args: string[], io: Io): Promise<number> {
  return withLink(args, io, 'createLoginLink')
}

/** `carcosa users reset-password`. */
export async function resetPassword(args: string[], io: Io): Promise<number> {
  return withLink(args, io, 'resetPassword')
}

/** `carcosa users revoke-sessions`. */
export async function revokeSessions(args: string[], io: Io): Promise<number> {
  const parsed = readUser(args)
  const who = userIn(parsed.positionals)
  const ended = await withCarcosa(parsed, io, ({ api }) => api.users.revokeSessions(who))
  io.stdout.write(`Ended ${ended} ${ended === 1 ? 'session' : 'sessions'} of ${who}.\n`)
  return 0
}

/** `carcosa users disable`. */
export async function disable(args: string[], io: Io): Promise<number> {
  const parsed = readUser(args)
  const who = userIn(parsed.positionals)
  const user = await withCarcosa(parsed, io, ({ api }) => api.users.disable(who))
  io.stdout.write(`${user.email} is disabled.\n`)
  return 0
}

/** `carcosa users enable`. */
export async function enable(args: string[], io: Io): Promise<number> {
  const parsed = readUser(args)
  const who = userIn(parsed.positionals)
  const user = await withCarcosa(parsed, io, ({ api }) => api.users.enable(who))
  io.stdout.write(`${user.email} may sign in.\n`)
  return 0
}

async function withLink(
  args: string[],
  io: Io,
  make: 'createLoginLink' | 'resetPassword',
): Promise<number> {
  const parsed = readUser(args)
  const who = userIn(parsed.positionals)
  const login = await withCarcosa(parsed, io, ({ api }) => api.users[make](who))
  if (parsed.flags.json) io.stdout.write(`${JSON.stringify(login, null, 2)}\n`)
  else await showLink(login, { parsed, io, who })
  return 0
}

function userIn([who]: readonly string[]): string {
  return required(who, 'The e-mail address or id of the user')
}
