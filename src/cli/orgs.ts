import { didYouMean } from '../shared/suggest.ts'
import { create } from './server/orgs-create.ts'
import { remove } from './server/orgs-delete.ts'
import { invite } from './server/orgs-invite.ts'
import { list } from './server/orgs-list.ts'
import { members } from './server/orgs-members.ts'
import { UsageError, type Verb } from './verb.ts'

const subcommands = { create, list, members, invite, delete: remove } as const

/** `carcosa orgs`: who owns projects. */
export const verb: Verb = {
  name: 'orgs',
  summary:
    'make organizations (create), show them (list, members), invite people, delete them',
  usage: `carcosa orgs create <name> --owner <user> [--slug <slug>] [--json]
       carcosa orgs list [--user <user>] [--json]
       carcosa orgs members <id> [--add <user> | --remove <user>] [--role <role>] [--json]
       carcosa orgs invite <id> <email> [--role <role>] [--json]
       carcosa orgs delete <id>

A user is named by e-mail address or id. create prints the id of the organization.

  --owner <user>   who becomes its owner
  --slug <slug>    a word that is nobody else's (default made from the name)
  --user <user>    only those that this user is a member of
  --add <user>     makes somebody a member, or gives them another role
  --remove <user>  takes somebody out
  --role <role>    what they become (default member): viewer, member, developer, billing,
                   admin, owner, or one of the option roles
  --json           as JSON

invite makes an invitation for somebody without an account here, mails it where the configuration has
a mailer, and prints its link. It is of use to who has that address alone.

An organization always has an owner. One that has projects is not deleted: delete them and
wait for the end of their grace period, or transfer them.

Database and configuration are found as by carcosa start: see carcosa help start.`,
  async run([name = '', ...args], io) {
    if (isSubcommand(name)) return subcommands[name](args, io)
    const names = Object.keys(subcommands)
    const said = name
      ? `There is no "orgs ${name}".${didYouMean(name, names)}`
      : 'Organizations?'
    throw new UsageError(`${said} There are: ${names.join(', ')}.`)
  },
}

function isSubcommand(name: string): name is keyof typeof subcommands {
  return Object.hasOwn(subcommands, name)
}
