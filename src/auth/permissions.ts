import type { Principal, Scopes } from './principal.ts'
import { type Action, builtInRoles, expand, type Grant } from './roles.ts'

/** What something is done to. Leave out what it does not have. */
export interface Resource {
  readonly projectId: string
  /** Who made it; null for an upload of nobody in particular. */
  readonly ownerId?: string | null
  /** The route it belongs to. */
  readonly route?: string
  /** Whether that route is declared `.public()`. */
  readonly isPublicRoute?: boolean
  /** Of a file that can be read. */
  readonly acl?: 'private' | 'public-read'
  /** Whether the upload has become a file that can be read. */
  readonly isFinished?: boolean
  /** Whether the request carries the ticket that created it. */
  readonly ticket?: boolean
}

/** What belongs to an organization as a whole: its members, its projects. */
export interface OrganizationResource {
  readonly organizationId: string
}

/** What was decided, and why. `rule` is stable. */
export interface Decision {
  readonly allowed: boolean
  readonly rule: AllowRule | DenyRule
  readonly inputs: DecisionInputs
}

/** What the decision was made from. */
export interface DecisionInputs {
  readonly action: Action
  readonly principal: Principal | null
  readonly resource: Resource | OrganizationResource
}

export type AllowRule =
  /** The program itself asks. */
  | 'system'
  /** A file that anyone may read. */
  | 'public-file'
  /** A route that anyone may upload to. */
  | 'public-route'
  /** The ticket that created it is proof enough. */
  | 'ticket'
  /** An anonymous upload belongs to whoever has its URL. */
  | 'url'
  /** Its maker asks, and may. */
  | 'own'
  /** The role covers everything in the project. */
  | 'role'

export type DenyRule =
  /** Nobody is known, and it is not for everybody. */
  | 'no-principal'
  | 'other-project'
  | 'other-organization'
  /** The scopes name other routes. */
  | 'scope-routes'
  /** The scopes leave this action out. */
  | 'scope-actions'
  | 'unknown-role'
  /** The role leaves this action out, for what is somebody else's at least. */
  | 'role-denies'

/** Decides whether `principal` may do `action` to `resource`; null for a request of nobody. */
export type Can = (
  principal: Principal | null,
  action: Action,
  resource: Resource | OrganizationResource,
) => Decision

/**
 * What part of a list somebody may see. Where `allowed`, what both members admit, and nothing
 * that `can()` would deny them.
 */
export interface Reach extends Decision {
  /** Only what this one made; null for what anybody made. */
  readonly ownerId: string | null
  /** Only what belongs to one of these routes; null for any, and for what belongs to none. */
  readonly routes: readonly string[] | null
}

export interface Access {
  readonly can: Can
  /**
   * To how much of a project `principal` may do `action`: everything, only their own, only some
   * routes, or nothing. What is open to all counts for nothing here: it is found by its id.
   */
  reach(principal: Principal | null, action: Action, projectId: string): Reach
  /** The names of all roles. */
  readonly roles: readonly string[]
  /**
   * What somebody with this project, role and these scopes may do and `principal` may not: grants,
   * `scopes.routes`, `projectId`. Ask before `principal` makes a key or a member: nobody gives away
   * more than they have.
   */
  exceeding(principal: Principal, wanted: Standing): string[]
  /** The role of `principal`, and what it may do: grants, `.own` only where it is not all. */
  describe(principal: Principal): { role: string; grants: string[] }
  /**
   * What a refusal tells of its decision: nothing, unless the option `explainDenials` is on.
   *
   * @example throw new CarcosaError('FORBIDDEN', access.explain(decision))
   */
  explain(decision: Decision): { details?: Record<string, unknown> }
}

/** What decides what somebody may do, beside who they are. */
export type Standing = Pick<Principal, 'projectId' | 'role' | 'scopes'>

export interface AccessOptions {
  /** Rows that are added to {@link builtInRoles} or replace them. */
  roles?: Readonly<Record<string, readonly Grant[]>>
  /** The project of principals that name none. */
  defaultProject: string
  /** Default false. */
  explainDenials?: boolean
}

/** Permissions with the roles of one Carcosa. */
export function createAccess(options: AccessOptions): Access {
  const { roles = {}, defaultProject, explainDenials = false } = options
  const all = { ...builtInRoles, ...roles }
  return {
    can: createCan(all, defaultProject),
    reach: createReach(all, defaultProject),
    roles: Object.keys(all),
    exceeding: createExceeding(all, defaultProject),
    describe: createDescribe(all),
    explain(decision) {
      if (!explainDenials) return {}
      const { rule, inputs } = decision
      const { claims: _, ...principal } = inputs.principal ?? {}
      const asked = inputs.principal && principal
      return { details: { rule, inputs: { ...inputs, principal: asked } } }
    },
  }
}

/**
 * The one place where it is decided who may do what: nothing else in the program asks who
 * somebody is.
 *
 * In this order: what is open to everybody; the project; the scopes, which only narrow; then
 * whether the role covers it, or does so for what is one's own.
 */
function createCan(
  roles: Readonly<Record<string, readonly Grant[]>>,
  defaultProject: string,
): Can {
  const tables = tablesOf(roles)

  const judge = (principal: Principal | null, action: Action, resource: Resource) => {
    const open = openTo(principal, action, resource)
    if (open || principal === null) return open ?? 'no-principal'
    if ((principal.projectId ?? defaultProject) !== resource.projectId) {
      return 'other-project'
    }
    const asked = { action, isOwn: resource.ownerId === principal.id }
    const narrowed = principal.scopes && narrowedBy(principal.scopes, resource, asked)
    if (narrowed) return narrowed
    if (resource.isPublicRoute && covers(onPublicRoutes, asked)) return 'public-route'
    return byRole(tables.get(roleOf(principal)), asked, principal)
  }

  const judgeWhole = (
    principal: Principal | null,
    action: Action,
    { organizationId }: OrganizationResource,
  ) => {
    if (principal === null) return 'no-principal'
    if (principal.kind === 'system') return 'system'
    if (principal.organizationId !== organizationId) return 'other-organization'
    const asked = { action, isOwn: false }
    const narrowed = principal.scopes && narrowedBy(principal.scopes, {}, asked)
    return narrowed ?? byRole(tables.get(roleOf(principal)), asked, principal)
  }

  return (principal, action, resource) => {
    const rule =
      'organizationId' in resource
        ? judgeWhole(principal, action, resource)
        : judge(principal, action, resource)
    return { allowed: allowing.has(rule), rule, inputs: { action, principal, resource } }
  }
}

function createReach(
  roles: Readonly<Record<string, readonly Grant[]>>,
  defaultProject: string,
): Access['reach'] {
  const tables = tablesOf(roles)

  const judge = (principal: Principal | null, action: Action, projectId: string) => {
    if (principal === null) return 'no-principal'
    if (principal.kind === 'system') return 'system'
    if ((principal.projectId ?? defaultProject) !== projectId) return 'other-project'
    if (principal.scopes?.routes?.length === 0) return 'scope-routes'
    const narrowed = principal.scopes?.actions && expanded(principal.scopes.actions)
    if (narrowed && !covers(narrowed, { action, isOwn: true })) return 'scope-actions'
    const rule = byRole(tables.get(roleOf(principal)), { action, isOwn: true }, principal)
    return rule === 'role' && narrowed && !narrowed.has(action) ? 'own' : rule
  }

  return (principal, action, projectId) => {
    const rule = judge(principal, action, projectId)
    return {
      allowed: allowing.has(rule),
      rule,
      inputs: { action, principal, resource: { projectId } },
      ownerId: rule === 'own' ? (principal?.id ?? null) : null,
      routes: principal?.scopes?.routes ?? null,
    }
  }
}

function createExceeding(
  roles: Readonly<Record<string, readonly Grant[]>>,
  defaultProject: string,
): Access['exceeding'] {
  const grantsOf = grantsIn(tablesOf(roles))

  return (principal, wanted) => {
    if (principal.kind === 'system') return []
    const own = grantsOf({ ...principal, role: roleOf(principal) })
    const { projectId = defaultProject } = principal
    const routes = principal.scopes?.routes
    const isRouted = routes && wanted.scopes?.routes?.every((one) => routes.includes(one))
    return [
      ...[...grantsOf(wanted)].filter((grant) => !own.has(grant)),
      ...(routes && !isRouted ? ['scopes.routes'] : []),
      ...((wanted.projectId ?? defaultProject) === projectId ? [] : ['projectId']),
    ]
  }
}

function createDescribe(
  roles: Readonly<Record<string, readonly Grant[]>>,
): Access['describe'] {
  const grantsOf = grantsIn(tablesOf(roles))
  return (principal) => {
    const role = roleOf(principal)
    const grants = [...grantsOf({ ...principal, role })]
    const whole = new Set(grants.map((grant) => `${grant}.own`))
    return { role, grants: grants.filter((grant) => !whole.has(grant)) }
  }
}

/** What a role allows, as far as the scopes do. */
function grantsIn(tables: ReadonlyMap<string, ReadonlySet<string>>) {
  return ({ role = 'user', scopes }: Standing): Set<string> => {
    const all = [...(tables.get(role) ?? [])]
    const narrowed = scopes?.actions && expanded(scopes.actions)
    return new Set(narrowed ? all.filter((grant) => narrowed.has(grant)) : all)
  }
}

function tablesOf(roles: Readonly<Record<string, readonly Grant[]>>) {
  return new Map(Object.entries(roles).map(([name, grants]) => [name, expand(grants)]))
}

/** What is open to whoever asks, known or not. */
function openTo(
  principal: Principal | null,
  action: Action,
  resource: Resource,
): AllowRule | null {
  if (principal?.kind === 'system') return 'system'
  if (resource.acl === 'public-read' && action === 'files.read') return 'public-file'
  if (resource.ticket && byTicket.has(action)) return 'ticket'
  if (resource.ownerId === null) {
    const proof = resource.isFinished ? byUrl : byUrlWhileItGrows
    if (proof.has(action)) return 'url'
  }
  const isNobody = principal === null || principal.kind === 'anonymous'
  if (isNobody && resource.isPublicRoute && action === 'uploads.create')
    return 'public-route'
  return null
}

function byRole(
  role: ReadonlySet<string> | undefined,
  asked: Asked,
  { kind }: Principal,
): AllowRule | DenyRule {
  if (!role) return 'unknown-role'
  if (role.has(asked.action)) return 'role'
  if (covers(role, asked)) return 'own'
  return kind === 'anonymous' ? 'no-principal' : 'role-denies'
}

function roleOf({ role, kind }: Principal): string {
  return role ?? (kind === 'anonymous' ? 'anonymous' : 'user')
}

interface Asked {
  action: Action
  isOwn: boolean
}

function narrowedBy(
  { routes, actions }: Scopes,
  { route }: Pick<Resource, 'route'>,
  asked: Asked,
): DenyRule | null {
  if (routes && (route === undefined || !routes.includes(route))) return 'scope-routes'
  return actions && !covers(expanded(actions), asked) ? 'scope-actions' : null
}

function covers(grants: ReadonlySet<string>, { action, isOwn }: Asked): boolean {
  return grants.has(action) || (isOwn && grants.has(`${action}.own`))
}

const expansions = new WeakMap<readonly string[], ReadonlySet<string>>()

function expanded(actions: readonly string[]): ReadonlySet<string> {
  const known = expansions.get(actions)
  if (known) return known
  const grants = expand(actions)
  expansions.set(actions, grants)
  return grants
}

const allowing: ReadonlySet<string> = new Set<AllowRule>([
  ...(['system', 'public-file', 'public-route', 'ticket'] as const),
  ...(['url', 'own', 'role'] as const),
])

/** What the ticket of an upload is proof for; what the upload became is its holder's as well. */
const byTicket: ReadonlySet<Action> = new Set([
  ...(['uploads.create', 'uploads.read', 'uploads.write', 'uploads.finish'] as const),
  ...(['uploads.cancel', 'files.delete', 'files.sign', 'events.read'] as const),
])

/**
 * What the URL of an anonymous upload is proof for. It is in every link to the file, so once that
 * is finished, and there is nothing more to write, it is little.
 */
const byUrl: ReadonlySet<Action> = new Set(['uploads.read', 'uploads.write'])
const byUrlWhileItGrows: ReadonlySet<Action> = new Set([
  ...(['uploads.read', 'uploads.write', 'uploads.cancel', 'events.read'] as const),
])

/** What a route declared `.public()` lets everybody do. */
const onPublicRoutes = expand(['uploads.create'])
