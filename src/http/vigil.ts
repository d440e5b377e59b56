import { setImmediate as turn } from 'node:timers/promises'
import type { AuthProvider, Principal } from '../auth/principal.ts'
import type { ProjectGate } from '../auth/project-gate.ts'
import { isShutOut } from '../auth/shut-out.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { Logger } from '../shared/logger.ts'
import { holderOf, type Ticket } from '../uploads/ticket.ts'
import { authenticate } from './authenticate.ts'
import type { Incoming } from './incoming.ts'

/**
 * Looks after connections that stay open: whoever would not be let in any more is sent away, comes
 * back, and is judged anew.
 */
export interface Vigil {
  /** `end` is called once, when it is over. What is returned stops looking; idempotent. */
  watch(guest: Guest, end: () => void): () => void
  close(): void
}

/** Who is connected, and by what. */
export interface Guest {
  /** Null if a ticket alone let them in. */
  readonly principal: Principal | null
  /** The tickets they showed; may grow. */
  readonly tickets: readonly Ticket[]
  /** Of what they watch; may grow. */
  readonly projects: ReadonlySet<string>
  readonly request: Pick<Incoming, 'method' | 'path' | 'search' | 'headers' | 'address'>
}

export interface VigilLimits {
  /** Between two questions whether somebody was shut out, in ms. Cheap. Default 2,000. */
  quickMs?: number
  /** Between two times their credentials are judged again, in ms. Default 30,000. */
  fullMs?: number
}

export interface VigilDeps {
  readonly auth: readonly AuthProvider[]
  readonly projects: Pick<ProjectGate, 'isDeleted'>
  readonly log: Logger
}

interface Entry extends Guest {
  end(): void
  dueAt: number
}

/** Entries looked at before others get a turn. */
const mostAtOnce = 500

export function createVigil(
  { auth, projects, log }: VigilDeps,
  { quickMs = 2_000, fullMs = 30_000 }: VigilLimits = {},
): Vigil {
  const all = new Set<Entry>()
  let isLooking = false

  const round = async () => {
    const isShut = createShutQuestion({ auth, projects })
    let count = 0
    for (const entry of all) {
      if (++count % mostAtOnce === 0) await turn()
      if ((await isShut(entry)) || (await isOver(auth, entry))) {
        all.delete(entry)
        entry.end()
      } else if (entry.dueAt <= Date.now()) entry.dueAt = Date.now() + fullMs
    }
  }
  const look = () => {
    if (isLooking) return
    isLooking = true
    round()
      .catch((err) => log.warn({ err }, 'who watches could not be judged again'))
      .finally(() => {
        isLooking = false
      })
  }
  for (const provider of auth) {
    provider.onChange?.((id) => {
      for (const entry of all) {
        if (id === '*' || entry.principal?.id === id) entry.dueAt = 0
      }
    })
  }
  const timer = setInterval(look, quickMs)
  timer.unref()

  return {
    watch(guest, end) {
      // Not all of them at the same time: they came together when a server started.
      const dueAt = Date.now() + fullMs * (0.5 + Math.random() / 2)
      const entry: Entry = { ...guest, end, dueAt }
      all.add(entry)
      return () => void all.delete(entry)
    },
    close: () => clearInterval(timer),
  }
}

/** Who asks for each of a thousand connections of one principal asks once. */
function createShutQuestion({ auth, projects }: Pick<VigilDeps, 'auth' | 'projects'>) {
  const known = new Map<string, Promise<boolean>>()
  const once = (name: string, ask: () => Promise<boolean>) => {
    const asked = known.get(name) ?? ask()
    known.set(name, asked)
    return asked
  }
  return async ({ principal, tickets, projects: watched }: Guest): Promise<boolean> => {
    const id = principal?.id
    if (id !== undefined && (await once(id, () => isShutOut(auth, id)))) return true
    for (const projectId of watched) {
      if (await once(`in ${projectId}`, () => projects.isDeleted(projectId))) return true
    }
    for (const ticket of tickets) {
      const holder = holderOf(ticket)
      if (holder === null) continue
      const { projectId, route } = ticket
      const name = JSON.stringify([holder, projectId, route])
      const where = { projectId, route }
      if (await once(name, () => isShutOut(auth, holder, where))) return true
    }
    return false
  }
}

async function isOver(
  auth: readonly AuthProvider[],
  { principal, request, dueAt }: Entry,
): Promise<boolean> {
  if (principal === null || dueAt > Date.now()) return false
  try {
    const now = await authenticate(auth, request)
    return now === null || standingOf(now) !== standingOf(principal)
  } catch (error) {
    // Who cannot be judged at the moment stays.
    return error instanceof CarcosaError && error.status < 500
  }
}

/** What is allowed depends on these: another role is another connection. */
function standingOf({ id, kind, projectId, role, scopes }: Principal): string {
  return JSON.stringify([id, kind, projectId, role, scopes])
}
