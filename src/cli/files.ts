import { didYouMean } from '../shared/suggest.ts'
import { cp } from './server/files-cp.ts'
import { importFiles } from './server/files-import.ts'
import { list } from './server/files-list.ts'
import { get, remove, restore, sign, tag } from './server/files-one.ts'
import { UsageError, type Verb } from './verb.ts'

const subcommands = {
  ...{ list, get, sign, tag, delete: remove, restore },
  ...{ cp, import: importFiles },
} as const

/** `carcosa files`: looks after files. */
export const verb: Verb = {
  name: 'files',
  summary: 'show files (list, get), link, tag, delete, restore, copy and import them',
  usage: `carcosa files list [filters] [--limit <n>] [--cursor <cursor>] [--json]
       carcosa files get <id> [--json]
       carcosa files sign <id> [--for <time>]
       carcosa files tag <id> [--add <tags>] [--remove <tags>] [--json]
       carcosa files delete <id…>
       carcosa files restore <id> [--json]
       carcosa files cp --from <store> --to <store> [flags]
       carcosa files import --store <store> --route <route> [flags]

list prints files newest first, 50 or up to 500 (--limit) at a time.

  --project <id>       of this project (default the default project)
  --route <route>      of this route
  --owner <id>         of this owner
  --type <type>        of this type: image/png, or image/*
  --tag <tag>          with this tag
  --prefix <text>      whose names begin with it; they come by name
  --states <states>    in one of these, with commas between them (default what can be read)
  --after, --before    made after or before this time, such as 2026-11-26T18:00:00Z

sign prints a URL that opens the file for anybody, for an hour or --for such as 15m.
tag takes tags with commas between them. delete prints what is gone, and restore takes it back
for as long as --delete-grace keeps the bytes.

cp copies the files of one store to another and verifies each. What has a verified copy is
skipped: run it again after an interruption, and it goes on where it stopped.

  --from <store>       whose files
  --to <store>         where to
  --route <route>      only files of this route
  --switch             make the verified copy the file's own object; the old one becomes
                       the copy, and nothing is deleted
  --dry-run            change nothing, print what would be done
  --concurrency <n>    files at once, 1 to 64 (default 4)

import makes files of the objects that are in a store already. They stay where and as they
are. No completion callback runs, and what the route would not take is imported with a
warning. A job of the server computes each SHA-256.

  --store <store>      whose objects
  --route <route>      the route they belong to from then on
  --prefix <text>      only objects whose keys begin with it
  --owner <id>         whose files they become (default nobody's)
  --project <id>       the project they become part of (default the default project)
  --dry-run            change nothing, print what would be done
  --concurrency <n>    objects at once, 1 to 64 (default 4)

Exit code 0: done. 1: something failed, each with a line on standard error. 130: stopped by
Ctrl-C; run it again to go on.

Stores, routes and database are found as by carcosa start: see carcosa help start. The
server may go on running where the database is Postgres.`,
  async run([name = '', ...args], io) {
    if (isSubcommand(name)) return subcommands[name](args, io)
    const names = Object.keys(subcommands)
    const said = name
      ? `There is no "files ${name}".${didYouMean(name, names)}`
      : 'Files?'
    throw new UsageError(`${said} There are: ${names.join(', ')}.`)
  },
}

function isSubcommand(name: string): name is keyof typeof subcommands {
  return Object.hasOwn(subcommands, name)
}
