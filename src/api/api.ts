import type { Invite } from '../accounts/invite.ts'
import type { UsersApi } from '../accounts/users.ts'
import type { Trail } from '../audit/trail.ts'
import type { KeysApi } from '../auth/keys.ts'
import type { EventsApi } from '../events/program.ts'
import type { Signer } from '../files/sign.ts'
import type { Drain } from '../ops/drain.ts'
import type { UploadDeps } from '../uploads/deps.ts'
import { type AuditApi, createAuditApi } from './audit.ts'
import { audited } from './audited.ts'
import type { ApiDeps } from './deps.ts'
import { createFilesApi, type FilesApi } from './files.ts'
import { createInvitationsApi, type InvitationsApi } from './invitations.ts'
import { createJobsApi, type JobsApi } from './jobs.ts'
import { createMembersApi, type MembersApi } from './members.ts'
import { createOrganizationsApi, type OrganizationsApi } from './organizations.ts'
import { createProjectsApi, type ProjectsApi } from './projects.ts'
import { createStoresApi, type StoresApi } from './stores.ts'
import { createTeamsApi, type TeamsApi } from './teams.ts'
import { createUploadsApi, type UploadsApi } from './uploads.ts'
import { createUsageApi, type UsageApi } from './usage.ts'
import { createUsers } from './users.ts'

/**
 * Everything a program can do with a Carcosa, noun by noun. Nothing here asks who is calling: the
 * REST API does, and then calls this.
 */
export interface Api {
  readonly files: FilesApi
  readonly events: EventsApi
  readonly uploads: UploadsApi
  readonly stores: StoresApi
  readonly keys: KeysApi
  readonly jobs: JobsApi
  readonly usage: UsageApi
  readonly audit: AuditApi
  readonly users: UsersApi
  readonly projects: ProjectsApi
  readonly organizations: OrganizationsApi
  readonly members: MembersApi
  readonly invitations: InvitationsApi
  readonly teams: TeamsApi
}

/** What the nouns are made from; those that need no upload come as they are. */
export interface ApiParts {
  uploads: UploadDeps
  signer: Signer
  drain: Drain
  events: EventsApi
  keys: KeysApi
  trail: Trail
  users: UsersApi
  /** Absent where there are no accounts. */
  invite?: Invite | undefined
}

export function createApi(parts: ApiParts): Api {
  const { uploads, signer, drain, events, keys, users, trail, invite } = parts
  const run: ApiDeps['run'] = (work) =>
    drain.run(async () => {
      drain.assertNotEnded()
      return work()
    })
  const deps = { uploads, signer, closing: drain.closing, run }

  const api: Api = {
    files: createFilesApi(deps),
    uploads: createUploadsApi(deps),
    stores: createStoresApi(deps),
    jobs: createJobsApi(deps),
    usage: createUsageApi(deps),
    audit: createAuditApi(deps),
    projects: createProjectsApi(deps),
    organizations: createOrganizationsApi(deps),
    members: createMembersApi(deps),
    invitations: createInvitationsApi(deps, invite),
    teams: createTeamsApi(deps),
    events: {
      list: (options) => run(() => events.list(options)),
      subscribe: events.subscribe,
    },
    users: createUsers(users, run),
    keys: {
      create: (key) => run(() => keys.create(key)),
      list: (options) => run(() => keys.list(options)),
      get: (id) => run(() => keys.get(id)),
      revoke: (id) => run(() => keys.revoke(id)),
      rotate: (id, options) => run(() => keys.rotate(id, options)),
    },
  }
  return audited(api, trail)
}
