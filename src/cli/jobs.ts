import { didYouMean } from '../shared/suggest.ts'
import { counts } from './server/jobs-counts.ts'
import { list } from './server/jobs-list.ts'
import { retry } from './server/jobs-retry.ts'
import { UsageError, type Verb } from './verb.ts'

const subcommands = { list, retry, counts } as const

/** `carcosa jobs`: what waits, runs, has failed or is dead. */
export const verb: Verb = {
  name: 'jobs',
  summary: 'show jobs that are not done (list, counts), put dead ones back (retry)',
  usage: `carcosa jobs list [--queue <name>] [--state <state>] [--limit <n>] [--json]
       carcosa jobs retry <id>… | --all [--queue <name>]
       carcosa jobs counts [--json]

A job that fails is tried again, with growing delays. When its tries are used up it is dead:
it is kept for 30 days, for a person to see why and to put it back.

list prints the jobs that are not done, newest first.

  --queue <name>       only of this queue: upload.complete, upload.digest, file.mirror …
  --state <state>      waiting, running, failed (and tried again) or dead
  --limit <n>          at most so many, 1 to 1000 (default 100)
  --json               as a JSON array

retry gives dead jobs all of their tries again, and lets failed ones that wait for their next
try run now. Done twice it does no more than once. It prints how many were put back.

  --all                all of them, or with --queue all of that queue

counts prints how many there are, by queue and state.

  --json               as a JSON object

Database and configuration are found as by carcosa start: see carcosa help start. Servers and
workers go on running where the database is Postgres.`,
  async run([name = '', ...args], io) {
    if (isSubcommand(name)) return subcommands[name](args, io)
    const names = Object.keys(subcommands)
    const said = name ? `There is no "jobs ${name}".${didYouMean(name, names)}` : 'Jobs?'
    throw new UsageError(`${said} There are: ${names.join(', ')}.`)
  },
}

function isSubcommand(name: string): name is keyof typeof subcommands {
  return Object.hasOwn(subcommands, name)
}
