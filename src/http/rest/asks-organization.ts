import type { Organization } from '../../api/organizations.ts'
import type { Decision } from '../../auth/permissions.ts'
import { asMember, type Principal } from '../../auth/principal.ts'
import type { Action } from '../../auth/roles.ts'
import type { Project } from '../../projects/project.ts'
import { CarcosaError, type ErrorCode } from '../../shared/errors.ts'
import { type Asks, forbidden, missing } from './asks.ts'
import type { RestContext } from './operation.ts'

/** Who asks, as what they are in an organization. */
export interface InOrganization {
  readonly organization: Organization
  /** `principal` with the role they have there. */
  readonly as: Principal
}

export const noOrganization = {
  name: 'organization',
  missing: 'ORGANIZATION_NOT_FOUND',
} as const

/**
 * What belongs to the organization `{id}` of the path as a whole; with `null` it is enough to be in
 * it. Whoever is not in it is told that there is none.
 */
export function inOrganization(action: Action | null): Asks<InOrganization> {
  return {
    action,
    of: 'project',
    codes: ['FORBIDDEN', 'ORGANIZATION_NOT_FOUND'],
    check: (context) => standingIn(context, context.params.id ?? '', action),
  }
}

/** The same, about something in it, which `find` finds; it comes as `found`, and has an ETag. */
export function oneInOrganization<Thing>(
  action: Action | null,
  noun: {
    readonly name: string
    readonly missing: ErrorCode
    readonly schema: NonNullable<Asks<object>['schema']>
    find(context: RestContext & InOrganization): Promise<Thing | null>
    show(thing: Thing): unknown
  },
): Asks<InOrganization & { readonly found: Thing }> {
  return {
    action,
    of: 'one',
    codes: ['FORBIDDEN', 'ORGANIZATION_NOT_FOUND', noun.missing],
    async check(context) {
      const standing = await standingIn(context, context.params.id ?? '', action)
      const found = await noun.find({ ...context, ...standing })
      if (!found) throw missing(noun)
      return { ...standing, found }
    },
    schema: noun.schema,
    show: ({ found }) => noun.show(found),
  }
}

/**
 * The project `{id}` of the path, for who acts in it and for who is in its organization.
 */
export function ofProject(
  action: Action,
  noun: {
    readonly schema: NonNullable<Asks<object>['schema']>
    show(project: Project): unknown
  },
): Asks<{ readonly found: Project }> {
  const none = { name: 'project', missing: 'PROJECT_NOT_FOUND' } as const
  return {
    action,
    of: 'one',
    codes: ['FORBIDDEN', 'PROJECT_NOT_FOUND'],
    async check(context) {
      const { api, access, principal, projectId, params } = context
      const found = await api.projects.get(params.id ?? '')
      const rights = await rightsIn(context, found)
      if (found && rights.some((can) => can(action).allowed)) return { found }
      const reach = access.reach(principal, action, projectId)
      if (!reach.allowed) throw forbidden(context, reach)
      const seen = rights.find((can) => can('settings.read').allowed)
      if (seen) throw forbidden(context, seen(action))
      throw missing(none)
    },
    schema: noun.schema,
    show: ({ found }) => noun.show(found),
  }
}

/** @throws {CarcosaError} ORGANIZATION_NOT_FOUND, FORBIDDEN */
export async function standingIn(
  context: RestContext,
  organizationId: string,
  action: Action | null,
): Promise<InOrganization> {
  const { api, access, principal, projectId } = context
  const organization = await api.organizations.get(organizationId)
  // Asked in any case: how long it takes is not to tell what there is.
  const member = await memberOf(context, organizationId)
  const as = organization && member
  const decision = as && action && access.can(as, action, { organizationId })
  if (organization && as && (action === null || decision?.allowed))
    return { organization, as }
  // Whoever may do it nowhere is told so, whatever the id.
  const reach = action && access.reach(principal, action, projectId)
  if (reach && !reach.allowed) throw forbidden(context, reach)
  if (as && decision) throw forbidden(context, decision)
  throw missing(noOrganization)
}

/** @throws {CarcosaError} FORBIDDEN if somebody with `role` may do more than who asks */
export function requireNoMore(
  { access }: Pick<RestContext, 'access'>,
  as: Principal,
  role: string,
): void {
  const exceeding = access.exceeding(as, { ...as, role, scopes: null })
  if (exceeding.length === 0) return
  throw new CarcosaError('FORBIDDEN', {
    message: `The role ${role} may do more than you: ${exceeding.slice(0, 5).join(', ')}.`,
    details: { exceeding },
  })
}

/** Of nothing, in the form of an id. */
const noId = 'org_000000000000000000000000'

type Rights = (action: Action) => Decision

/** The same is asked for one that there is not: how long it takes tells nothing. */
async function rightsIn(
  context: RestContext,
  project: Project | null,
): Promise<Rights[]> {
  const { access, principal } = context
  const { id: projectId = '', organizationId } = project ?? {}
  const as = await memberOf(context, organizationId ?? noId)
  if (!project) return []
  const inIt: Rights = (action) => access.can(principal, action, { projectId })
  if (!as || !organizationId) return [inIt]
  return [inIt, (action) => access.can(as, action, { organizationId })]
}

/** Null if they are not in it. */
async function memberOf(
  { api, principal }: RestContext,
  organizationId: string,
): Promise<Principal | null> {
  const member = await api.members.get(organizationId, principal.id)
  if (member) return asMember(principal, { organizationId, role: member.role })
  // A provider of the application may say so.
  return principal.organizationId === organizationId ? principal : null
}
