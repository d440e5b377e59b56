import type { AuditAction } from '../audit/actions.ts'
import type { Trail } from '../audit/trail.ts'
import type { Api } from './api.ts'

/** How a method that changes something is told of. */
interface Audited<Args extends unknown[], Result> {
  readonly action: AuditAction
  /** The id of what it is done to. Default: the first argument, or the id of the result. */
  target?(args: Args, result: Result | undefined): string | null
  /** The id of the project, where an argument says it. Default: what it is done to says. */
  project?(args: Args): string | undefined
  /** Looks at what it is done to before it is, also to know its project. */
  before?(api: Api, args: Args): Promise<object | null>
  /** What else there is to tell; secrets are left out afterwards. */
  details?(told: Told<Args, Result>): Record<string, unknown>
  /** Whether nothing was there to be done. Default: for `false`, `0` and null. */
  isNothing?(result: Result): boolean
}

interface Told<Args, Result> {
  readonly args: Args
  readonly before: Fields | null
  /** Absent if it failed. */
  readonly result: Result | undefined
}

type Fields = Readonly<Record<string, unknown>>

type Row<Method> = Method extends (...args: infer Args) => Promise<infer Result>
  ? Audited<Args, Result> | null
  : null

/** Every method of every noun: one without a row is an error of the compiler, and of a test. */
export type AuditTable = {
  readonly [Noun in keyof Api]: {
    readonly [Method in keyof Api[Noun]]: Row<Api[Noun][Method]>
  }
}

/** It changes nothing. */
const reads = null
/** It makes uploads and gives access to files, as often as it is called: events tell of those. */
const toldByEvents = null

export const auditTable: AuditTable = {
  files: {
    upload: toldByEvents,
    uploadFromUrl: toldByEvents,
    list: reads,
    get: reads,
    sign: reads,
    signMany: reads,
    url: reads,
    link: reads,
    update: {
      action: 'file.updated',
      before: (api, [file]) => api.files.get(file),
      details: ({ args: [, edit], before }) => ({
        before: pick(before, ['filename', 'tags', 'acl', 'customId']),
        edit,
      }),
    },
    updateMany: {
      action: 'files.updated',
      target: () => null,
      details: ({ args: [updates] }) => ({ updates }),
    },
    deleteMany: {
      action: 'files.deleted',
      target: () => null,
      details: ({ result }) => ({
        files: result?.flatMap(({ file, deleted }) => (deleted ? [file] : [])),
      }),
      isNothing: (result) => result.every(({ deleted }) => !deleted),
    },
    restore: {
      action: 'file.undeleted',
      before: (api, [id]) => api.files.get(id),
      details: ({ before }) => pick(before, ['filename', 'route', 'ownerId', 'size']),
    },
    rename: {
      action: 'file.renamed',
      before: (api, [id]) => api.files.get(id),
      details: changed('filename'),
    },
    delete: {
      action: 'file.deleted',
      before: (api, [id]) => api.files.get(id),
      details: ({ before }) => pick(before, ['filename', 'route', 'ownerId', 'size']),
    },
    copy: {
      action: 'files.copied',
      target: ([{ to }]) => to,
      details: ({ args: [options] }) =>
        pick(options, ['from', 'to', 'route', 'switch', 'dryRun']),
    },
    import: {
      action: 'files.imported',
      target: ([{ store }]) => store,
      details: ({ args: [options] }) =>
        pick(options, ['store', 'route', 'prefix', 'ownerId', 'dryRun']),
    },
  },
  uploads: {
    prepare: toldByEvents,
    list: reads,
    get: reads,
    cancel: {
      action: 'upload.cancelled',
      before: (api, [id]) => api.files.get(id),
      details: ({ before }) => pick(before, ['filename', 'route', 'ownerId', 'offset']),
    },
  },
  keys: {
    create: {
      action: 'key.created',
      details: ({ result, args: [key] }) => pick(result ?? key, standing),
    },
    list: reads,
    get: reads,
    revoke: {
      action: 'key.revoked',
      before: (api, [id]) => api.keys.get(id),
      details: ({ before }) => pick(before, ['name']),
    },
    rotate: {
      action: 'key.rotated',
      before: (api, [id]) => api.keys.get(id),
      details: ({ result, before }) => ({
        ...pick(before, ['name']),
        ...pick(result, ['overlapUntil']),
      }),
    },
  },
  jobs: {
    list: reads,
    counts: reads,
    retry: {
      action: 'jobs.retried',
      target: () => null,
      details: ({ args: [selection], result }) => ({ selection, count: result }),
    },
  },
  stores: {
    collect: {
      action: 'stores.collected',
      target: () => null,
      details: ({ args: [options] }) => pick(options, ['store', 'dryRun', 'force']),
    },
    reconcile: {
      action: 'stores.reconciled',
      target: () => null,
      details: ({ args: [options] }) => pick(options, ['store', 'dryRun', 'force']),
    },
  },
  usage: {
    get: reads,
    info: reads,
    quota: reads,
    setQuota: {
      action: 'quota.changed',
      project: ([projectId]) => projectId,
      before: (api, [projectId]) => api.usage.quota(projectId),
      details: ({ args: [, quota], before }) => ({ quota: { before, after: quota } }),
    },
    recount: { action: 'usage.recounted', project: ([projectId]) => projectId },
  },
  users: {
    create: {
      action: 'user.created',
      target: (_, made) => made?.user.id ?? null,
      details: ({ args: [user] }) => pick(user, ['email', 'role', 'organizationId']),
    },
    createOwner: { action: 'user.owner-created', target: () => null },
    list: reads,
    get: reads,
    createLoginLink: { action: 'user.login-link-created' },
    resetPassword: { action: 'user.password-reset' },
    revokeSessions: { action: 'user.sessions-revoked' },
    disable: { action: 'user.disabled' },
    enable: { action: 'user.enabled' },
  },
  projects: {
    create: {
      action: 'project.created',
      target: (_args, result) => result?.id ?? null,
      details: ({ args: [project] }) => pick(project, ['name', 'organizationId']),
    },
    get: reads,
    list: reads,
    update: {
      action: 'project.changed',
      project: ([id]) => id,
      before: (api, [id]) => api.projects.get(id),
      details: changed('name', 'settings'),
    },
    delete: { action: 'project.deleted', project: ([id]) => id },
    restore: { action: 'project.restored', project: ([id]) => id },
    transfer: {
      action: 'project.transferred',
      project: ([id]) => id,
      before: (api, [id]) => api.projects.get(id),
      details: ({ args: [, after], before }) => ({
        organizationId: { before: before?.organizationId, after },
      }),
    },
  },
  organizations: {
    create: {
      action: 'organization.created',
      details: ({ args: [wanted] }) => pick(wanted, ['name', 'slug', 'ownerId']),
    },
    get: reads,
    list: reads,
    update: {
      action: 'organization.changed',
      before: (api, [id]) => api.organizations.get(id),
      details: changed('name', 'slug'),
    },
    delete: {
      action: 'organization.deleted',
      before: (api, [id]) => api.organizations.get(id),
      details: ({ before }) => pick(before, ['name', 'slug']),
    },
  },
  members: {
    add: {
      action: 'member.added',
      target: ([{ userId }]) => userId,
      details: ({ args: [member] }) => pick(member, ['organizationId', 'role']),
    },
    get: reads,
    list: reads,
    setRole: {
      action: 'member.changed',
      target: ([, userId]) => userId,
      before: (api, [organizationId, userId]) => api.members.get(organizationId, userId),
      details: ({ args: [organizationId, , after], before }) => ({
        organizationId,
        role: { before: before?.role, after },
      }),
    },
    remove: {
      action: 'member.removed',
      target: ([, userId]) => userId,
      before: (api, [organizationId, userId]) => api.members.get(organizationId, userId),
      details: ({ args: [organizationId], before }) => ({
        organizationId,
        ...pick(before, ['role']),
      }),
    },
  },
  invitations: {
    create: {
      action: 'invitation.created',
      details: ({ args: [wanted] }) =>
        pick(wanted, ['organizationId', 'email', 'role', 'teamId', 'inviterId']),
    },
    get: reads,
    list: reads,
    revoke: {
      action: 'invitation.revoked',
      before: (api, [id]) => api.invitations.get(id),
      details: ({ before }) => pick(before, ['organizationId', 'email', 'role']),
    },
    accept: {
      action: 'invitation.accepted',
      details: ({ args: [, userId], result }) => ({
        userId,
        ...pick(result, ['organizationId', 'role']),
      }),
    },
  },
  teams: {
    create: {
      action: 'team.created',
      details: ({ args: [team] }) => pick(team, ['organizationId', 'name']),
    },
    get: reads,
    list: reads,
    listMembers: reads,
    update: {
      action: 'team.changed',
      before: (api, [id]) => api.teams.get(id),
      details: changed('name'),
    },
    delete: {
      action: 'team.deleted',
      before: (api, [id]) => api.teams.get(id),
      details: ({ before }) => pick(before, ['organizationId', 'name']),
    },
    addMember: {
      action: 'team.joined',
      details: ({ args: [, userId] }) => ({ userId }),
    },
    removeMember: {
      action: 'team.left',
      details: ({ args: [, userId] }) => ({ userId }),
    },
  },
  events: { list: reads, subscribe: reads },
  audit: { list: reads, requests: reads },
}

/** The same API; what changes something is told to the audit log, done or not, by whoever calls. */
export function audited(api: Api, trail: Trail): Api {
  const nouns = Object.entries(auditTable).map(([noun, rows]) => {
    // The table has the nouns and methods of the API.
    const methods = api[noun as keyof Api] as unknown as Methods
    const wrapped = Object.entries(rows as Record<string, AnyRow | null>)
      .filter((pair): pair is [string, AnyRow] => pair[1] !== null)
      .map(([name, row]) => [name, wrap({ api, trail, row }, methods[name])])
    return [noun, { ...methods, ...Object.fromEntries(wrapped) }]
  })
  return Object.fromEntries(nouns)
}

type AnyRow = Audited<unknown[], unknown>
type Method = (...args: unknown[]) => Promise<unknown>
type Methods = Record<string, Method | undefined>

interface Wrapping {
  api: Api
  trail: Trail
  row: AnyRow
}

function wrap({ api, trail, row }: Wrapping, method: Method | undefined): Method {
  if (!method) throw new TypeError(`audited: there is no method for ${row.action}`)
  return async (...args) => {
    const before = fieldsOf(await lookBefore(row, api, args))
    const tell = (result: unknown, error?: unknown) =>
      trail.record({
        action: row.action,
        targetId: targetOf(row, args, result),
        projectId:
          row.project?.(args) ??
          projectOf(fieldsOf(result), before, ...args.map(fieldsOf)),
        details: row.details?.({ args, before, result }),
        ...(error !== undefined && { error }),
      })
    try {
      const result = await method(...args)
      if (!(row.isNothing ?? isNothing)(result)) await tell(result)
      return result
    } catch (error) {
      await tell(undefined, error)
      throw error
    }
  }
}

/** What cannot be looked at is for the method itself to refuse. */
async function lookBefore(row: AnyRow, api: Api, args: unknown[]) {
  return row.before?.(api, args).catch(() => null)
}

function isNothing(result: unknown): boolean {
  return result === false || result === 0 || result === null
}

function targetOf(row: AnyRow, args: unknown[], result: unknown): string | null {
  if (row.target) return row.target(args, result)
  const [first] = args
  const id = typeof first === 'string' ? first : fieldsOf(result)?.id
  return typeof id === 'string' ? id : null
}

function projectOf(...places: (Fields | null)[]): string | undefined {
  const id = places.find((fields) => typeof fields?.projectId === 'string')?.projectId
  return typeof id === 'string' ? id : undefined
}

function fieldsOf(value: unknown): Fields | null {
  // Any object has fields by name.
  return typeof value === 'object' && value !== null ? (value as Fields) : null
}

/** Of a key, what says how far it reaches. */
const standing = ['name', 'mode', 'role', 'scopes', 'allowedAddresses', 'expiresAt']

function pick(value: unknown, names: readonly string[]): Record<string, unknown> {
  const fields = fieldsOf(value)
  const found = names.filter((name) => fields?.[name] !== undefined)
  return Object.fromEntries(found.map((name) => [name, fields?.[name]]))
}

/** `{ name: { before, after } }` of what is another than before. */
function changed(...names: string[]) {
  return ({ before, result }: Told<unknown, unknown>): Record<string, unknown> => {
    const after = fieldsOf(result)
    if (!after) return {}
    const different = names.filter((name) => before?.[name] !== after[name])
    return Object.fromEntries(
      different.map((name) => [name, { before: before?.[name], after: after[name] }]),
    )
  }
}
