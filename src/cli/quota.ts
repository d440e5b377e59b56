import { quota } from './server/quota.ts'
import type { Verb } from './verb.ts'

/** `carcosa quota`: what may be stored. */
export const verb: Verb = {
  name: 'quota',
  summary: 'show what a project may store (show), or limit it (set)',
  usage: `carcosa quota show [--project <id>] [--json]
       carcosa quota set <limits> [--project <id>] [--json]

<limits> is off, or such as bytes=100GB,files=100000,perOwner.bytes=1GB. What it does not name is
not limited. It holds from the next upload on; what is stored stays.

  --project <id>  of this project (default the default project)
  --json          as JSON, with sizes in bytes

Where the option quota is set, a server writes it to the default project at every start.

Database and configuration are found as by carcosa start: see carcosa help start. Servers go on
running where the database is Postgres.`,
  run: quota,
}
