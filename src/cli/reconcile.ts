import { tidy, tidyUsage } from './server/tidy.ts'
import type { Verb } from './verb.ts'

/** `carcosa reconcile`: makes database and stores say the same. */
export const verb: Verb = {
  name: 'reconcile',
  summary: 'do what gc does, and find files whose objects are lost',
  usage: `carcosa reconcile [--dry-run] [--only <store>] [--grace <duration>] [--force]

Does what carcosa gc does. Then asks for the object of every finished file: a file whose
object is lost goes on as its copy in another store, or becomes "failed".
${tidyUsage}`,
  run: (args, io) => tidy(args, io, (stores, options) => stores.reconcile(options)),
}
