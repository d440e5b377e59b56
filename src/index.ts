/** The public names of Carcosa. */

export { file } from '../stores/file.ts'
export type { Store } from '../stores/store.ts'
export type { Invitation, InvitationStatus } from './accounts/invitation-rows.ts'
export type { User } from './accounts/user-rows.ts'
export type {
  LoginLink,
  NewUser,
  UserList,
  UserPage,
  UsersApi,
} from './accounts/users.ts'
export type { Api } from './api/api.ts'
export type { AuditApi } from './api/audit.ts'
export type { DeleteOutcome } from './api/delete-files.ts'
export type { EditCondition, FileEdit } from './api/edit-files.ts'
export type { FileReference } from './api/file-reference.ts'
export type { FilesApi, SignOptions } from './api/files.ts'
export type {
  InvitationList,
  InvitationListOptions,
  InvitationsApi,
  NewInvitation,
} from './api/invitations.ts'
export type { JobsApi } from './api/jobs.ts'
export type {
  Member,
  MemberList,
  MemberListOptions,
  MembersApi,
  NewMember,
} from './api/members.ts'
export type {
  NewOrganization,
  Organization,
  OrganizationChanges,
  OrganizationList,
  OrganizationListOptions,
  OrganizationsApi,
} from './api/organizations.ts'
export type {
  NewProject,
  ProjectChanges,
  ProjectList,
  ProjectListOptions,
  ProjectsApi,
} from './api/projects.ts'
export type { StoresApi } from './api/stores.ts'
export type {
  NewTeam,
  Team,
  TeamList,
  TeamMember,
  TeamMemberList,
  TeamsApi,
} from './api/teams.ts'
export type {
  UploadItem,
  UploadManyOptions,
  UploadOutcome,
  UrlSource,
} from './api/upload-files.ts'
export type { ListUploads, UploadList, UploadsApi } from './api/uploads.ts'
export type { UsageApi, UsageInfo } from './api/usage.ts'
export type { AuditAction } from './audit/actions.ts'
export type {
  AuditEntry,
  AuditOutcome,
  LoggedActor,
  LoggedRequest,
} from './audit/entry.ts'
export type { AuditPage, ListEntries, ListRequests, RequestPage } from './audit/list.ts'
export { apiKeys } from './auth/api-keys.ts'
export { bearerToken } from './auth/bearer.ts'
export { custom } from './auth/custom.ts'
export type { EventPermission, EventRequest } from './auth/event-permission.ts'
export { jwt } from './auth/jwt.ts'
export type { JwtClaims, JwtOptions } from './auth/jwt-options.ts'
export type {
  ApiKey,
  ApiKeyWithToken,
  KeyList,
  KeyListOptions,
  KeysApi,
  NewApiKey,
} from './auth/keys.ts'
export type {
  AuthProvider,
  AuthRequest,
  AuthServices,
  Principal,
  Scopes,
  SessionServices,
} from './auth/principal.ts'
export type { ProjectSettings } from './auth/project-gate.ts'
export type { Action, Grant } from './auth/roles.ts'
export { session } from './auth/session.ts'
export { type Carcosa, createCarcosa } from './carcosa.ts'
export { type CarcosaOptions, type ConfigOptions, defineConfig } from './config.ts'
export type {
  EventsApi,
  ListEvents,
  SubscribeEvents,
  WatchedEvent,
} from './events/program.ts'
export type { NamedTopic } from './events/topic.ts'
export type { FileFilters, FileList, ListOptions } from './files/list.ts'
export type { FileRecord, FileState } from './files/record.ts'

export type { JobName } from './jobs/definitions.ts'
export type { JobCounts, JobFilter, JobRecord, JobState } from './jobs/records.ts'
export type { RetrySelection } from './jobs/retry.ts'

export type { CheckOutcome, Readiness } from './ops/health.ts'
export type { MetricsText } from './ops/metrics.ts'

export type { SettingsChange } from './projects/check-project.ts'
export type { Project } from './projects/project.ts'
export type { RouteBuilder } from './routes/builder.ts'
export type * from './routes/definition.ts'
export * from './routes/hooks.ts'
export type * from './routes/infer.ts'
export type { RouteOptions } from './routes/options.ts'
export { route } from './routes/route.ts'
export { createRouter, type Router } from './routes/router.ts'
export type { RouteConfig, TypeOptions } from './routes/rules.ts'
export type { AccountsOptions, Mail, Mailer, SignUp } from './shared/accounts.ts'
export { CarcosaError, type ErrorCode, type Problem } from './shared/errors.ts'
export type { Logger } from './shared/logger.ts'
export type { QuotaOptions } from './shared/quota.ts'
export type {
  RateLimit,
  RateLimitChoice,
  RateLimitOptions,
} from './shared/rate-limits.ts'
export type { CopyOptions, CopyProgress, CopyReport } from './upkeep/copy-files.ts'
export type { ImportOptions, ImportReport } from './upkeep/import-objects.ts'
export type { ReconcileOptions } from './upkeep/reconcile.ts'
export type { ReconcileReport, StoreReport } from './upkeep/reconcile-report.ts'
export type { UploadBody } from './uploads/body.ts'
export type { ProgramUpload } from './uploads/from-program.ts'
export type { PreparedUpload, UploadToPrepare } from './uploads/prepare-program.ts'
export type { Quota } from './usage/quota-rows.ts'
export type { Recount } from './usage/recount.ts'
export type { UsageQuery, UsageReport, UsageRow } from './usage/report.ts'
