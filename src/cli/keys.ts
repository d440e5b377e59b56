import { didYouMean } from '../shared/suggest.ts'
import { create } from './server/keys-create.ts'
import { list } from './server/keys-list.ts'
import { revoke } from './server/keys-revoke.ts'
import { rotate } from './server/keys-rotate.ts'
import { UsageError, type Verb } from './verb.ts'

const subcommands = { create, list, revoke, rotate } as const

/** `carcosa keys`: credentials of programs. */
export const verb: Verb = {
  name: 'keys',
  summary:
    'make API keys (create), show them (list), replace or end them (rotate, revoke)',
  usage: `carcosa keys create <name> [flags]
       carcosa keys list [--all] [--project <id>] [--json]
       carcosa keys rotate <id> [--overlap <duration>] [--json]
       carcosa keys revoke <id>…

create and rotate print the token to standard output, once: it is kept nowhere, so store it
now. Send it as "Authorization: Bearer <token>". What else there is to say goes to standard
error.

  --role <role>          what it may do: viewer, member, developer (default), admin, owner,
                         user, or one of the option roles
  --routes <names>       only these routes, with commas between them
  --actions <names>      only these actions of the role, such as uploads.create,files.read;
                         files.read.own is only what was uploaded with the key
  --allow <networks>     only from these addresses: 203.0.113.7,10.0.0.0/8,private,loopback
  --expires <duration>   how long it works, such as "90 days" (default for ever)
  --test                 a ck_test_… key, which does the same
  --project <id>         the project it is for (default the default project)
  --json                 the key and its token as JSON

list prints the keys, newest first, without their secrets.

  --all                  revoked keys too

rotate gives a key another token; what was uploaded with it stays its own.

  --overlap <duration>   how long the old token works on (default 24h; 0s for no longer)

revoke ends keys for good. An upload under way is refused with its next request.

Database and configuration are found as by carcosa start: see carcosa help start. Servers go
on running where the database is Postgres.`,
  async run([name = '', ...args], io) {
    if (isSubcommand(name)) return subcommands[name](args, io)
    const names = Object.keys(subcommands)
    const said = name ? `There is no "keys ${name}".${didYouMean(name, names)}` : 'Keys?'
    throw new UsageError(`${said} There are: ${names.join(', ')}.`)
  },
}

function isSubcommand(name: string): name is keyof typeof subcommands {
  return Object.hasOwn(subcommands, name)
}
