import { CarcosaError } from '../shared/errors.ts'
import type { PageOptions, Placed } from '../shared/page.ts'

/** What the lists of both logs can be narrowed to. */
export interface LogOptions extends PageOptions {
  projectId?: string
  organizationId?: string
  /** What this principal did, by its id. */
  actor?: string
  /** Later than this. */
  after?: Date
  /** Earlier than this. */
  before?: Date
}

/**
 * What Prisma takes for them, behind the last row of the page before.
 * @throws {CarcosaError} BAD_REQUEST
 */
export function filterOf(options: LogOptions, behind: Placed | null) {
  const { projectId, organizationId, actor, after, before } = options
  for (const [name, time] of Object.entries({ after, before })) assertTime(name, time)
  for (const [name, value] of Object.entries({ projectId, organizationId, actor }))
    assertText(name, value)
  // The last is there so that an index leads to the place, and not past all in front of it.
  const createdAt = { gt: after, lt: before, ...(behind && { lte: behind.createdAt }) }
  return { projectId, organizationId, actorId: actor, createdAt }
}

function assertTime(name: string, time: unknown): void {
  if (time === undefined) return
  if (time instanceof Date && !Number.isNaN(time.getTime())) return
  throw bad(`${name} is a Date, not ${String(time)}.`)
}

/** @throws {CarcosaError} BAD_REQUEST for what no column of text can hold */
export function assertText(name: string, value: unknown): void {
  if (value === undefined) return
  if (typeof value === 'string' && value.isWellFormed() && !value.includes('\0')) return
  throw bad(`${name} is text.`)
}

export function bad(message: string): CarcosaError {
  return new CarcosaError('BAD_REQUEST', { message })
}
