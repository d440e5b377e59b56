import type { Invitation } from '../accounts/invitation-rows.ts'
import type { DeleteFiles, DeleteOutcome } from '../api/delete-files.ts'
import type { EditCondition, FileEdit } from '../api/edit-files.ts'
import type { InvitationsApi, NewInvitation } from '../api/invitations.ts'
import type { MembersApi } from '../api/members.ts'
import type {
  NewOrganization,
  Organization,
  OrganizationList,
  OrganizationsApi,
} from '../api/organizations.ts'
import type { NewProject, ProjectsApi } from '../api/projects.ts'
import type { TeamsApi } from '../api/teams.ts'
import type { UsageApi } from '../api/usage.ts'
import type { AuditPage, ListEntries, ListRequests, RequestPage } from '../audit/list.ts'
import type {
  ApiKey,
  ApiKeyWithToken,
  KeyList,
  NewApiKey,
  Rotation,
} from '../auth/keys.ts'
import type { Principal, Scopes } from '../auth/principal.ts'
import type { SubscribeEvents, WatchedEvent } from '../events/program.ts'
import type { ListOptions } from '../files/list.ts'
import type { FileRecord } from '../files/record.ts'
import type { JobName } from '../jobs/definitions.ts'
import type { JobRecord, JobState } from '../jobs/records.ts'
import type { Project } from '../projects/project.ts'
import type { Outcome } from '../shared/many.ts'
import type { PageOptions } from '../shared/page.ts'
import type { UploadBody } from '../uploads/body.ts'
import type { ProgramUpload } from '../uploads/from-program.ts'
import type { PreparedUpload, UploadToPrepare } from '../uploads/prepare-program.ts'
import type { UsageQuery, UsageReport } from '../usage/report.ts'
import type { CallOptions } from './settings.ts'

/**
 * `carcosa.api` of a Carcosa elsewhere, as far as its REST API goes: the same nouns, methods, errors
 * and types. What is done is done in the project of the credential, if that allows it; what is not
 * there, or not for it, is both FILE_NOT_FOUND and the like. Every method may throw UNAUTHENTICATED,
 * FORBIDDEN, RATE_LIMITED, NETWORK and RESPONSE_INVALID too.
 *
 * What takes a {@link SharedApi} works with either.
 */
export interface RemoteApi extends SharedApi {
  readonly organizations: SharedApi['organizations'] & RemoteOrganizations
  readonly invitations: SharedApi['invitations'] & RemoteInvitations
  readonly me: {
    /** Who the credential is, and what it may do. */
    get(): Promise<Me>
  }
  readonly settings: {
    /** What holds in the project, as `GET /settings` answers it; times are seconds. */
    get(): Promise<Record<string, unknown>>
  }
  /** The same API with other options for its calls, e.g. a `signal`. */
  with(options: CallOptions): RemoteApi
}

/** What a program can do in the process of a Carcosa and from elsewhere. */
export interface SharedApi {
  readonly files: RemoteFiles
  readonly uploads: RemoteUploads
  readonly events: RemoteEvents
  readonly keys: RemoteKeys
  readonly usage: Pick<UsageApi, 'setQuota'> & RemoteUsage
  readonly jobs: RemoteJobs
  readonly audit: RemoteAudit
  readonly projects: RemoteProjects
  readonly organizations: Pick<OrganizationsApi, 'get' | 'update' | 'delete'> & {
    /** Those that who asks is a member of. */
    list(options?: PageOptions): Promise<OrganizationList>
  }
  readonly members: Pick<MembersApi, 'get' | 'list' | 'setRole' | 'remove'>
  readonly invitations: Pick<InvitationsApi, 'list'>
  readonly teams: Pick<TeamsApi, 'create' | 'list'>
}

/** What is told of a file: not where its bytes are, nor what the route keeps with it. */
export type RemoteFile = Pick<
  FileRecord,
  | ('id' | 'projectId' | 'ownerId' | 'route' | 'state' | 'filename' | 'contentType')
  | ('contentDisposition' | 'acl' | 'size' | 'sha256' | 'batchId' | 'customId')
  | ('tags' | 'revision' | 'failure' | 'createdAt' | 'updatedAt' | 'storedAt')
  | ('readyAt' | 'purgeAfter')
>

/** What is told of an upload that is not finished. */
export type RemoteUpload = Pick<
  FileRecord,
  | ('id' | 'projectId' | 'ownerId' | 'route' | 'state' | 'filename' | 'declaredType')
  | ('size' | 'offset' | 'batchId' | 'createdAt' | 'updatedAt' | 'expiresAt')
>

/** A file by its id, or by the custom id it has until it ends. */
export type RemoteReference = string | { customId: string }

export type RemoteOutcome = Outcome<RemoteFile>

export interface RemotePage {
  files: RemoteFile[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

/** What is said of an upload; the project is that of the credential, the store the route's. */
export type RemoteUploadOptions = Omit<ProgramUpload, 'projectId' | 'store'>

type OwnOptions = Partial<Omit<RemoteUploadOptions, 'route' | 'signal'>>
export type RemoteItem = UploadBody | (OwnOptions & { body: UploadBody })
export type RemoteSource = string | URL | (OwnOptions & { url: string | URL })

export interface RemoteManyOptions extends RemoteUploadOptions {
  /** How many at a time, 1 to 25. Default 6. */
  concurrency?: number
}

export interface RemoteSignOptions {
  /** Milliseconds or `1h`, in whole seconds. Default `1h`. */
  expiresIn?: number | string
  disposition?: 'inline' | 'attachment' | null
}

/** See `FilesApi`. */
export interface RemoteFiles {
  /** By tus, in pieces, each sent again until it arrived. What breaks off leaves nothing. */
  upload(body: UploadBody, options: RemoteUploadOptions): Promise<RemoteFile>
  upload(
    bodies: readonly RemoteItem[],
    options: RemoteManyOptions,
  ): Promise<RemoteOutcome[]>
  /** Fetched by the server. */
  uploadFromUrl(source: RemoteSource, options: RemoteUploadOptions): Promise<RemoteFile>
  uploadFromUrl(
    sources: readonly RemoteSource[],
    options: RemoteManyOptions,
  ): Promise<RemoteOutcome[]>
  list(options?: Omit<ListOptions, 'projectId' | 'within'>): Promise<RemotePage>
  /** Null also for one that was deleted, which in process has the state `removed`. */
  get(file: RemoteReference): Promise<RemoteFile | null>
  update(
    file: RemoteReference,
    edit: FileEdit,
    condition?: EditCondition,
  ): Promise<RemoteFile>
  updateMany(
    updates: readonly (FileEdit & EditCondition & { file: RemoteReference })[],
  ): Promise<RemoteOutcome[]>
  rename(
    file: RemoteReference,
    filename: string,
    condition?: EditCondition,
  ): Promise<RemoteFile>
  delete(file: RemoteReference): Promise<boolean>
  deleteMany(files: readonly RemoteReference[]): Promise<RemoteDeleteOutcome[]>
  restore(
    id: string,
    options?: Parameters<DeleteFiles['restore']>[1],
  ): Promise<RemoteFile>
  /** Asks the server, which has the secret; absolute. */
  sign(file: RemoteReference, options?: RemoteSignOptions): Promise<string>
  signMany(
    files: readonly RemoteReference[],
    options?: RemoteSignOptions,
  ): Promise<(string | null)[]>
  url(file: RemoteReference): Promise<string>
}

export type RemoteDeleteOutcome = Omit<DeleteOutcome, 'file'> & { file: RemoteReference }

/** See `UploadsApi`. */
export interface RemoteUploads {
  prepare(
    upload: Omit<UploadToPrepare, 'projectId' | 'store' | 'holder'>,
  ): Promise<PreparedUpload>
  list(
    options?: PageOptions & { route?: string; ownerId?: string },
  ): Promise<{ uploads: RemoteUpload[]; nextCursor: string | null }>
  get(id: string): Promise<RemoteUpload | null>
  cancel(id: string): Promise<boolean>
}

/** What can be watched. */
export type RemoteTopic =
  | { readonly file: string }
  | { readonly batch: string }
  | { readonly route: string }
  | { readonly project: string }

/** See `EventsApi`. */
export interface RemoteEvents {
  list(options?: {
    after?: number
    /** At most so many, 1 to 1,000. Default 100. */
    limit?: number
    topic?: { readonly file: string } | { readonly route: string }
  }): Promise<WatchedEvent[]>
  /** Over Server-Sent Events; when the connection breaks it goes on behind the last that it had. */
  subscribe(
    topic: RemoteTopic,
    options?: Omit<SubscribeEvents, 'projectId'>,
  ): AsyncIterable<WatchedEvent>
}

/** See `KeysApi`. Nobody gives away more than they have. */
export interface RemoteKeys {
  create(key: Omit<NewApiKey, 'projectId' | 'createdBy'>): Promise<ApiKeyWithToken>
  list(options?: PageOptions & { revoked?: boolean }): Promise<KeyList>
  get(id: string): Promise<ApiKey | null>
  revoke(id: string): Promise<boolean>
  rotate(id: string, options?: Rotation): Promise<ApiKeyWithToken>
}

/** See `UsageApi`. */
export interface RemoteUsage {
  get(query?: UsageQuery): Promise<UsageReport>
  info(): ReturnType<UsageApi['info']>
  quota(): ReturnType<UsageApi['quota']>
}

/** Without what it failed with, which may name what is behind the server. */
export type RemoteJob = Omit<JobRecord, 'lastError'>

/** Jobs about files of the project; see `JobsApi`. */
export interface RemoteJobs {
  list(filter?: {
    queue?: JobName
    state?: JobState
    limit?: number
  }): Promise<RemoteJob[]>
  /** Those with these ids, at most 100. */
  retry(selection: { readonly ids: readonly string[] }): Promise<number>
}

/** See `AuditApi`. */
export interface RemoteAudit {
  list(options?: Omit<ListEntries, 'projectId' | 'organizationId'>): Promise<AuditPage>
  requests(
    options?: Omit<ListRequests, 'projectId' | 'organizationId'>,
  ): Promise<RequestPage>
}

/** See `ProjectsApi`. */
export interface RemoteProjects
  extends Pick<ProjectsApi, 'get' | 'update' | 'delete' | 'restore'> {
  /** In an organization of who asks. */
  create(project: NewProject & { organizationId: string }): Promise<Project>
  /** Those that who asks may see. */
  list(
    options?: PageOptions & { organizationId?: string; deleted?: boolean },
  ): ReturnType<ProjectsApi['list']>
  transfer(id: string, organizationId: string): Promise<void>
}

export interface RemoteOrganizations {
  /** Who asks becomes its owner, which takes an account on the server. */
  create(organization: Omit<NewOrganization, 'ownerId'>): Promise<Organization>
}

export interface RemoteInvitations {
  /** By who asks. */
  create(invitation: Omit<NewInvitation, 'inviterId'>): Promise<Invitation>
  /** For who asks. */
  accept(id: string): Promise<Invitation>
}

/** Who a credential is. */
export interface Me {
  readonly id: string
  readonly kind: Principal['kind']
  readonly organizationId: string | null
  readonly projectId: string
  readonly role: string
  readonly scopes: Scopes | null
  /** What may be done in the project: `files.read` to everything, `files.read.own` to one's own. */
  readonly grants: readonly string[]
}
