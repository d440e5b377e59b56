import { didYouMean } from '../shared/suggest.ts'
import { create } from './server/users-create.ts'
import { list } from './server/users-list.ts'
import {
  disable,
  enable,
  loginLink,
  resetPassword,
  revokeSessions,
} from './server/users-one.ts'
import { UsageError, type Verb } from './verb.ts'

const subcommands = {
  create,
  list,
  'login-link': loginLink,
  'reset-password': resetPassword,
  'revoke-sessions': revokeSessions,
  disable,
  enable,
} as const

/** `carcosa users`: the people of a server with accounts. */
export const verb: Verb = {
  name: 'users',
  summary: 'make users (create), show them (list), let them in or shut them out',
  usage: `carcosa users create <email> [--name <name>] [--role <role>] [flags]
       carcosa users list [--json]
       carcosa users login-link <email or id>
       carcosa users reset-password <email or id>
       carcosa users revoke-sessions <email or id>
       carcosa users disable|enable <email or id>

create makes a user without a password and prints a link to standard output: whoever opens it
first is signed in and chooses one. It works for 24 hours, once. What else there is to say goes to
standard error.

  --name <name>          what they are called (default what stands before the @)
  --organization <id>    what they become a member of (default the one that owns the default project)
  --role <role>          their role in it: viewer, member (default), developer, admin, owner,
                         billing, or one of the option roles
  --json                 the answer as JSON

list prints the users, newest first.

login-link prints such a link for a user there is. reset-password does the same, takes away the
password they have, and ends their sessions.

revoke-sessions signs somebody out everywhere. disable does that too, and refuses them until
enable: an upload under way is refused with its next request.

Links begin with --public-url, or with the address that carcosa start would listen on. Database
and configuration are found as by carcosa start: see carcosa help start. Servers go on running
where the database is Postgres.`,
  async run([name = '', ...args], io) {
    if (isSubcommand(name)) return subcommands[name](args, io)
    const names = Object.keys(subcommands)
    const said = name
      ? `There is no "users ${name}".${didYouMean(name, names)}`
      : 'Users?'
    throw new UsageError(`${said} There are: ${names.join(', ')}.`)
  },
}

function isSubcommand(name: string): name is keyof typeof subcommands {
  return Object.hasOwn(subcommands, name)
}
