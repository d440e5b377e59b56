import type { z } from '@hono/zod-openapi'
import type { Decision, Reach, Resource } from '../../auth/permissions.ts'
import type { Action } from '../../auth/roles.ts'
import { CarcosaError, type ErrorCode } from '../../shared/errors.ts'
import type { RestContext } from './operation.ts'

/** What checking a permission found on the way, for who handles the request. */
export type Given = object

/** Who may do an operation. Made by the functions below, and by nothing else. */
export interface Asks<Gives extends Given> {
  /** The permission as the document tells it; null where it is enough to be somebody. */
  readonly action: Action | null
  /** Of what: the whole project, a list of which everybody sees their part, or one thing. */
  readonly of: 'oneself' | 'project' | 'list' | 'one'
  /** What it refuses with. */
  readonly codes: readonly ErrorCode[]
  /** @throws {CarcosaError} one of `codes` */
  check(context: RestContext): Promise<Gives>
  /** Of what `show` returns: an answer of this schema is the thing itself, and has its ETag. */
  readonly schema?: z.ZodType
  /** What it is about, as `GET` shows it; that is where its ETag comes from. */
  show?(gives: Gives, context: RestContext): unknown
}

/** Something that has an id, and what there is to know of it to ask for permission. */
export interface Noun<Thing, Shown extends z.ZodType> {
  /** What one is called: `file`. */
  readonly name: string
  /** The code for one that there is not, or not for who asks. */
  readonly missing: ErrorCode
  /** Without this permission nobody is told that there is one. */
  readonly seenBy: Action
  readonly schema: Shown
  /** Of the project alone: what is open to who has its URL is open in any project. */
  find(context: RestContext, id: string): Promise<Thing | null>
  resourceOf(thing: Thing, context: RestContext): Resource
  /** As answers have it. */
  show(thing: Thing, context: RestContext): z.input<Shown>
}

/** It is enough to be somebody: for what is one's own by its nature. */
export function known(): Asks<Given> {
  return { action: null, of: 'oneself', codes: [], check: async () => ({}) }
}

/** What a project is refused with that is gone. */
const ofProject = ['PROJECT_NOT_FOUND', 'PROJECT_DELETED'] as const

/** What belongs to the project as a whole, such as its API keys. */
export function inProject(action: Action): Asks<Given> {
  return {
    action,
    of: 'project',
    codes: ['FORBIDDEN', ...ofProject],
    async check(context) {
      const { access, principal, projectId } = context
      const decision = access.can(principal, action, { projectId })
      if (!decision.allowed) throw forbidden(context, decision)
      await context.projects.require(projectId)
      return {}
    },
  }
}

/** A list, of which everybody sees their part: it comes as `reach`, and narrows what is listed. */
export function within(action: Action): Asks<{ readonly reach: Reach }> {
  return {
    action,
    of: 'list',
    codes: ['FORBIDDEN', ...ofProject],
    async check(context) {
      const { access, principal, projectId } = context
      const reach = access.reach(principal, action, projectId)
      if (!reach.allowed) throw forbidden(context, reach)
      await context.projects.require(projectId)
      return { reach }
    },
  }
}

/**
 * One thing, by the `{id}` of the path; it comes as `found`. What there is not, what belongs to
 * another project, and what `principal` may not see are the same. Who may do `action` to nothing in
 * the project is told so, whatever the id.
 */
export function one<Thing, Shown extends z.ZodType>(
  noun: Noun<Thing, Shown>,
  action: Action,
): Asks<{ readonly found: Thing }> {
  return {
    action,
    of: 'one',
    codes: ['FORBIDDEN', noun.missing, ...ofProject],
    async check(context) {
      const { access, principal, projectId, params } = context
      const found = await noun.find(context, params.id ?? '')
      const resource = found && noun.resourceOf(found, context)
      const decision = resource && access.can(principal, action, resource)
      if (found && resource && decision?.allowed) {
        await requireOpen(context, noun, resource)
        return { found }
      }
      const reach = access.reach(principal, action, projectId)
      if (!reach.allowed) throw forbidden(context, reach)
      const isSeen = resource && access.can(principal, noun.seenBy, resource).allowed
      if (isSeen && decision) throw forbidden(context, decision)
      throw missing(noun, decision ? access.explain(decision) : {})
    },
    schema: noun.schema,
    show: ({ found }, context) => noun.show(found, context),
  }
}

/** What is open to all goes with its project, and only those who are in it are told why. */
async function requireOpen(
  { projects, projectId: own }: RestContext,
  noun: Pick<Noun<unknown, z.ZodType>, 'missing' | 'name'>,
  { projectId }: Resource,
): Promise<void> {
  if (projectId !== own && (await projects.isDeleted(projectId))) throw missing(noun)
  await projects.require(projectId)
}

/**
 * The answer for one that there is not, or not for who asks. It names no id: the answers are to be
 * the same to the byte.
 */
export function missing(
  { missing: code, name }: Pick<Noun<unknown, z.ZodType>, 'missing' | 'name'>,
  explained = {},
): CarcosaError {
  const message = `There is no such ${name}, or it is not for you.`
  return new CarcosaError(code, { message, ...explained })
}

/** The answer for who may see what it is about, or may do such a thing nowhere. */
export function forbidden(
  { access }: Pick<RestContext, 'access'>,
  decision: Decision,
): CarcosaError {
  const { action } = decision.inputs
  return new CarcosaError('FORBIDDEN', {
    message: `This needs the permission ${action}, and you do not have it here.`,
    ...access.explain(decision),
  })
}
