/**
 * `carcosa/remote`: `carcosa.api` from another process, over the REST API. It stands on `fetch` and
 * other web standards alone, and loads nothing of the server.
 */
import type { RemoteApi } from './api.ts'
import { createEvents } from './events.ts'
import { createFiles } from './files.ts'
import { createKeys } from './keys.ts'
import {
  createAudit,
  createJobs,
  createMe,
  createSettings,
  createUsage,
} from './operating.ts'
import {
  createInvitations,
  createMembers,
  createOrganizations,
  createProjects,
  createTeams,
} from './organizations.ts'
import {
  type RemoteOptions,
  type RemoteSettings,
  readCall,
  readSettings,
} from './settings.ts'
import { createTransport } from './transport.ts'
import { createUploads } from './uploads.ts'

export { CarcosaError, type ErrorCode } from '../shared/errors.ts'
export type * from './api.ts'
export type { CallOptions, RemoteOptions } from './settings.ts'

/**
 * The API of a Carcosa that runs elsewhere.
 *
 * @example
 * const api = createRemoteApi({ url: 'https://example.com/media', apiKey: process.env.CARCOSA_API_KEY })
 * const file = await api.files.upload(bytes, { route: 'report', filename: 'june.pdf' })
 * @throws {TypeError} if an option cannot be
 */
export function createRemoteApi(options: RemoteOptions): RemoteApi {
  return withSettings(readSettings(options))
}

function withSettings(settings: RemoteSettings): RemoteApi {
  const transport = createTransport(settings)
  return {
    files: createFiles(transport),
    uploads: createUploads(transport),
    events: createEvents(transport),
    keys: createKeys(transport),
    usage: createUsage(transport),
    jobs: createJobs(transport),
    audit: createAudit(transport),
    projects: createProjects(transport),
    organizations: createOrganizations(transport),
    members: createMembers(transport),
    invitations: createInvitations(transport),
    teams: createTeams(transport),
    me: createMe(transport),
    settings: createSettings(transport),
    with: (options) => withSettings({ ...settings, ...readCall(options) }),
  }
}
