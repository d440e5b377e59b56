import { didYouMean } from '../shared/suggest.ts'
import { create } from './server/projects-create.ts'
import { list } from './server/projects-list.ts'
import { remove, restore } from './server/projects-one.ts'
import { transfer } from './server/projects-transfer.ts'
import { UsageError, type Verb } from './verb.ts'

const subcommands = { create, list, delete: remove, restore, transfer } as const

/** `carcosa projects`: tenants. */
export const verb: Verb = {
  name: 'projects',
  summary: 'make projects (create), show them (list), delete, restore and transfer them',
  usage: `carcosa projects create <name> [--organization <id>] [--json]
       carcosa projects list [--organization <id>] [--deleted] [--json]
       carcosa projects delete <id>
       carcosa projects restore <id>
       carcosa projects transfer <id> --to <organization>

create prints the id of the project: make keys for it with carcosa keys create --project.

  --organization <id>  who owns it
  --json               as JSON

list prints the projects, newest first.

  --organization <id>  only those of this organization
  --deleted            also those that were deleted and can be restored

delete ends keys, uploads and reading at once. After projectGrace (default 7 days) a running
server removes files and all else; until then restore takes it back, but for the keys.

transfer gives a project to another organization. A running server does that within seconds;
the keys of the project end with it.

Database and configuration are found as by carcosa start: see carcosa help start.`,
  async run([name = '', ...args], io) {
    if (isSubcommand(name)) return subcommands[name](args, io)
    const names = Object.keys(subcommands)
    const said = name
      ? `There is no "projects ${name}".${didYouMean(name, names)}`
      : 'Projects?'
    throw new UsageError(`${said} There are: ${names.join(', ')}.`)
  },
}

function isSubcommand(name: string): name is keyof typeof subcommands {
  return Object.hasOwn(subcommands, name)
}
