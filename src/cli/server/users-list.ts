import type { Carcosa } from '../../carcosa.ts'
import { printable } from '../printable.ts'
import { type Io, readArgs } from '../verb.ts'
import { withCarcosa } from './maintenance.ts'
import { table } from './table.ts'
import { userFlags } from './users-link.ts'

type User = Awaited<ReturnType<Carcosa['api']['users']['list']>>['users'][number]

/** `carcosa users list`. */
export async function list(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, userFlags)
  const users = await withCarcosa(parsed, io, all)
  if (parsed.flags.json) io.stdout.write(`${JSON.stringify(users, null, 2)}\n`)
  else if (users.length > 0) io.stdout.write(table(titles, users.map(row)))
  else io.stdout.write('No users.\n')
  return 0
}

async function all({ api }: Carcosa): Promise<User[]> {
  const found: User[] = []
  let cursor: string | null = null
  do {
    const page = await api.users.list({ limit: 500, ...(cursor !== null && { cursor }) })
    found.push(...page.users)
    cursor = page.nextCursor
  } while (cursor !== null)
  return found
}

const titles = ['ID', 'E-MAIL', 'STATE', 'SINCE', 'NAME']

function row({ id, email, disabledAt, emailVerified, createdAt, name }: User): string[] {
  const state = disabledAt ? 'disabled' : emailVerified ? 'works' : 'not confirmed'
  return [id, email, state, createdAt.toISOString().slice(0, 10), printable(name)]
}
