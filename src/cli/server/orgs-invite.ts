import type { Carcosa } from '../../carcosa.ts'
import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { allOf } from './all-of.ts'
import { required, textOf } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags, settingsFrom } from './settings.ts'
import { absolute } from './users-link.ts'

const flagTable: FlagTable = {
  ...settingFlags,
  role: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa orgs invite`. */
export async function invite(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable, 2)
  const { flags, positionals } = parsed
  const wanted = {
    organizationId: required(positionals[0], 'The id of the organization'),
    email: required(positionals[1], 'The e-mail address of who is invited'),
    ...textOf(flags, 'role'),
  }
  const made = await withCarcosa(parsed, io, async ({ api }) => {
    const inviterId = await ownerOf(wanted.organizationId, api)
    return api.invitations.create({ ...wanted, inviterId })
  })
  const { config } = await settingsFrom(parsed, io)
  const path = `${config.publicUrl ?? ''}${config.basePath}/auth/invitation#${made.id}`
  const url = absolute(path, config)
  if (flags.json) io.stdout.write(`${JSON.stringify({ ...made, url }, null, 2)}\n`)
  else {
    const until = made.expiresAt.toISOString()
    io.stderr.write(`Lets ${made.email} join as ${made.role}, until ${until}:\n`)
    io.stdout.write(`${url}\n`)
  }
  return 0
}

/** An invitation is somebody's: here one of those who own the organization. */
async function ownerOf(organizationId: string, api: Carcosa['api']): Promise<string> {
  const members = await allOf(async (cursor) => {
    const page = await api.members.list({ organizationId, limit: 500, ...cursor })
    return { rows: page.members, nextCursor: page.nextCursor }
  })
  // Where there is none, there is no organization, which is what will be said.
  return members.find(({ role }) => role === 'owner')?.userId ?? ''
}
