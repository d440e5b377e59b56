import { tidy, tidyUsage } from './server/tidy.ts'
import type { Verb } from './verb.ts'

/** `carcosa gc`: deletes from the stores what belongs to nobody. */
export const verb: Verb = {
  name: 'gc',
  summary: 'delete from the stores what belongs to no file, or show it: --dry-run',
  usage: `carcosa gc [--dry-run] [--only <store>] [--grace <duration>] [--force]

Deletes expired uploads, what was begun in a store and belongs to no upload, and objects
that belong to no file. What nobody knows has to be older than the grace period.
${tidyUsage}`,
  run: (args, io) => tidy(args, io, (stores, options) => stores.collect(options)),
}
