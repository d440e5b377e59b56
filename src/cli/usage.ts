import { usage } from './server/usage.ts'
import type { Verb } from './verb.ts'

/** `carcosa usage`: what is stored. */
export const verb: Verb = {
  name: 'usage',
  summary: 'show what a project stores, by day, route or owner',
  usage: `carcosa usage [--project <id>] [--by day|route|owner] [--from <day>] [--to <day>] [--json]

Shows what is stored now, and what was stored and deleted in the last 30 days.

  --project <id>  of this project (default the default project)
  --by <what>     a line for each day (default), route or owner
  --from <day>    first day, such as 2026-11-01, in UTC
  --to <day>      last day (default today)
  --json          as JSON, with sizes in bytes

What may be stored is shown and set by carcosa quota.

Database and configuration are found as by carcosa start: see carcosa help start. Servers go on
running where the database is Postgres.`,
  run: usage,
}
