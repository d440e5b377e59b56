import { didYouMean } from '../shared/suggest.ts'
import { list } from './server/audit-list.ts'
import { requests } from './server/audit-requests.ts'
import { UsageError, type Verb } from './verb.ts'

const subcommands = { list, requests } as const

/** `carcosa audit`: what was done, and what was asked. */
export const verb: Verb = {
  name: 'audit',
  summary: 'show who did what (list) and which requests came (requests)',
  usage: `carcosa audit list [flags]
       carcosa audit requests [flags]

list prints the audit log: what was changed or refused, by whom, newest first. requests prints
the request log; the setting --request-log says which requests are in it.

  --project <id>        only of this project
  --organization <id>   only of this organization
  --actor <id>          only what this principal did
  --after <time>        only later than this, such as 2026-11-26T18:00:00Z
  --before <time>       only earlier than this
  --limit <n>           at most so many, 1 to 500 (default 50)
  --cursor <text>       goes on behind the page that ended with it
  --json                the page as JSON, with its nextCursor

  --action <name>       list: only this, such as file.deleted
  --outcome <name>      list: done, denied, refused or failed
  --target <id>         list: only what was done to this
  --status <n>          requests: only answers with this status

Database and configuration are found as by carcosa start: see carcosa help start. Servers go
on running where the database is Postgres.`,
  async run([name = '', ...args], io) {
    if (isSubcommand(name)) return subcommands[name](args, io)
    const names = Object.keys(subcommands)
    const said = name
      ? `There is no "audit ${name}".${didYouMean(name, names)}`
      : 'Audit?'
    throw new UsageError(`${said} There are: ${names.join(', ')}.`)
  },
}

function isSubcommand(name: string): name is keyof typeof subcommands {
  return Object.hasOwn(subcommands, name)
}
