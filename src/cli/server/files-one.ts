import type { Carcosa } from '../../carcosa.ts'
import { CarcosaError } from '../../shared/errors.ts'
import { printable } from '../printable.ts'
import {
  type FlagTable,
  type Io,
  type ParsedArgs,
  readArgs,
  UsageError,
} from '../verb.ts'
import { required } from './files-flags.ts'
import type { FileRecord } from './files-list.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags, settingsFrom } from './settings.ts'
import { table } from './table.ts'
import { absolute } from './users-link.ts'

const flagTable: FlagTable = { ...settingFlags, json: { type: 'boolean' } }
const tagFlags: FlagTable = {
  ...flagTable,
  add: { type: 'string' },
  remove: { type: 'string' },
}
const signFlags: FlagTable = { ...settingFlags, for: { type: 'string' } }

/** `carcosa files get`. */
export async function get(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable, 1)
  const id = fileIn(parsed)
  const file = await withCarcosa(parsed, io, ({ api }) => existing(id, api))
  return show(file, parsed, io)
}

/** `carcosa files tag`. */
export async function tag(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, tagFlags, 1)
  const id = fileIn(parsed)
  const { add, remove: removed } = parsed.flags
  if (add === undefined && removed === undefined)
    throw new UsageError('Say which tags: --add <tags> or --remove <tags>.')
  const file = await withCarcosa(parsed, io, async ({ api }) => {
    const { tags, revision } = await existing(id, api)
    const kept = tags.filter((one) => !listIn(removed).includes(one))
    const wanted = [...new Set([...kept, ...listIn(add)])]
    return api.files.update(id, { tags: wanted }, { ifMatch: revision })
  })
  return show(file, parsed, io)
}

/** `carcosa files delete`. */
export async function remove(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable, 500)
  fileIn(parsed)
  const outcomes = await withCarcosa(parsed, io, ({ api }) =>
    api.files.deleteMany(parsed.positionals),
  )
  for (const { file, deleted, error } of outcomes) {
    const name = printable(String(file))
    if (deleted) io.stdout.write(`${name} is deleted.\n`)
    else io.stderr.write(`${name}: ${error?.message ?? 'There is no such file.'}\n`)
  }
  return outcomes.every(({ deleted }) => deleted) ? 0 : 1
}

/** `carcosa files restore`. */
export async function restore(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable, 1)
  const id = fileIn(parsed)
  const file = await withCarcosa(parsed, io, ({ api }) => api.files.restore(id))
  return show(file, parsed, io)
}

/** `carcosa files sign`. */
export async function sign(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, signFlags, 1)
  const id = fileIn(parsed)
  const expiresIn = parsed.flags.for
  const options = typeof expiresIn === 'string' ? { expiresIn } : {}
  const url = await withCarcosa(parsed, io, ({ api }) => api.files.sign(id, options))
  const { config } = await settingsFrom(parsed, io)
  io.stdout.write(`${absolute(url, config)}\n`)
  return 0
}

function fileIn({ positionals }: ParsedArgs): string {
  return required(positionals[0], 'The id of the file')
}

async function existing(id: string, api: Carcosa['api']): Promise<FileRecord> {
  const file = await api.files.get(id)
  if (file) return file
  throw new CarcosaError('FILE_NOT_FOUND', {
    message: `There is no file "${printable(id)}".`,
  })
}

function listIn(flag: string | boolean | undefined): string[] {
  return typeof flag === 'string' ? flag.split(',').map((one) => one.trim()) : []
}

const shown: readonly string[] = [
  ...['id', 'projectId', 'ownerId', 'route', 'state', 'filename', 'contentType', 'size'],
  ...['sha256', 'acl', 'customId', 'tags', 'storeName', 'createdAt', 'purgeAfter'],
]

function show(file: FileRecord, { flags }: ParsedArgs, io: Io): number {
  if (flags.json) io.stdout.write(`${JSON.stringify(file, null, 2)}\n`)
  else {
    const known = Object.entries(file).filter(([name]) => shown.includes(name))
    const rows = known.map(([name, value]) => [name, printable(textFor(value))])
    io.stdout.write(table(['FIELD', 'VALUE'], rows))
  }
  return 0
}

function textFor(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.join(', ') || '-'
  return value === null ? '-' : String(value)
}
