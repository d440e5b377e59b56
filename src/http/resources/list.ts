import type { Operation } from '../rest/operation.ts'
import { apiKeys } from './api-keys.ts'
import { audit } from './audit.ts'
import { events } from './events.ts'
import { files } from './files.ts'
import { invitations } from './invitations.ts'
import { jobs } from './jobs.ts'
import { me } from './me.ts'
import { members } from './members.ts'
import { organizations } from './organizations.ts'
import { projects } from './projects.ts'
import { settings } from './settings.ts'
import { teams } from './teams.ts'
import { uploads } from './uploads.ts'
import { usage } from './usage.ts'

/** Everything that the REST API can do, in the order in which it is documented. */
export const operations: readonly Operation[] = [
  ...me,
  ...organizations,
  ...members,
  ...invitations,
  ...teams,
  ...projects,
  ...apiKeys,
  ...files,
  ...uploads,
  ...events,
  ...jobs,
  ...settings,
  ...usage,
  ...audit,
]
