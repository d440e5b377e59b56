import { newId } from '../../../src/shared/ids.ts'
import type { SceneRequest } from '../rest/scene.ts'
import type { IsolationWorld, Place } from './world.ts'

/** What is asked about. */
export interface At {
  /** Where it is; null for something that there is not. */
  readonly place: Place | null
  /** The organization in the path, where it is not the one it is in. */
  readonly below?: string
}

/** Makes what an operation is about, and says how it is asked for. */
type Target = (world: IsolationWorld, at: At) => Promise<SceneRequest>

const nothing: Target = async () => ({})
const body =
  (sent: object): Target =>
  async () => ({ body: sent })

/** With `make` for what there is, and an id of the same form for what there is not. */
const one =
  (
    prefix: string,
    make: (world: IsolationWorld, place: Place) => Promise<string>,
    sent?: object,
  ): Target =>
  async (world, { place }) => ({
    params: { id: place ? await make(world, place) : prefix + newId() },
    ...(sent && { body: sent }),
  })

const file = (sent?: object) => one('', (world, place) => world.file(place), sent)
const upload = one('', (world, place) => world.upload(place))
const key = (sent?: object) =>
  one(
    'key_',
    async (world, { projectId }) => (await world.key({ projectId, role: 'viewer' })).id,
    sent,
  )

const organization = (sent?: object) =>
  one('org_', async (_, { organizationId }) => organizationId, sent)

const project = (make: 'new' | 'deleted' | 'there', sent?: object) =>
  one(
    'prj_',
    async ({ server: { carcosa } }, { organizationId, projectId }) => {
      if (make === 'there') return projectId
      const { api } = carcosa
      const { id } = await api.projects.create({ name: 'New', organizationId })
      if (make === 'deleted') await api.projects.delete(id)
      return id
    },
    sent,
  )

/** Something below an organization, by a second id in the path. */
const inOrganization =
  (
    name: string,
    make: (world: IsolationWorld, organizationId: string) => Promise<object>,
    sent?: object,
  ): Target =>
  async (world, { place, below }) => {
    const id = below ?? place?.organizationId ?? `org_${newId()}`
    const made = place ? await make(world, place.organizationId) : null
    const prefix = name === 'userId' ? 'user_' : name === 'teamId' ? 'team_' : 'inv_'
    const params = { id, userId: `user_${newId()}`, [name]: prefix + newId(), ...made }
    return { params, ...(sent && { body: sent }) }
  }

async function addMember(world: IsolationWorld, organizationId: string) {
  const userId = await world.user()
  const { members } = world.server.carcosa.api
  await members.add({ organizationId, userId, role: 'viewer' })
  return { userId }
}

async function invite({ server: { carcosa, uploads } }: IsolationWorld, id: string) {
  const owner = { organizationId: id, role: 'owner' }
  const { userId: inviterId } = await uploads.db.prisma.member.findFirstOrThrow({
    where: owner,
  })
  const made = await carcosa.api.invitations.create({
    ...{ organizationId: id, inviterId, email: `${newId().toLowerCase()}@example.com` },
  })
  return { invitationId: made.id }
}

/** With somebody in it. */
async function addTeam(world: IsolationWorld, organizationId: string) {
  const { teams } = world.server.carcosa.api
  const { userId } = await addMember(world, organizationId)
  const { id: teamId } = await teams.create({ organizationId, name: 'Team' })
  await teams.addMember(teamId, userId)
  return { teamId, userId }
}

const member = (sent?: object) => inOrganization('userId', addMember, sent)
const team = (sent?: object) => inOrganization('teamId', addTeam, sent)
const invitation = inOrganization('invitationId', invite)

/** What each operation is about. */
export const targets: Readonly<Record<string, Target>> = {
  getMe: nothing,
  listOrganizations: nothing,
  createOrganization: body({ name: 'New' }),
  getOrganization: organization(),
  updateOrganization: organization({ name: 'A' }),
  deleteOrganization: organization(),
  listMembers: organization(),
  getMember: member(),
  updateMember: member({ role: 'developer' }),
  removeMember: member(),
  listInvitations: organization(),
  createInvitation: async (world, at) => {
    const email = `${newId().toLowerCase()}@example.com`
    return { ...(await organization()(world, at)), body: { email, role: 'viewer' } }
  },
  getInvitation: invitation,
  revokeInvitation: invitation,
  // Of somebody else: who is invited is in test/integration/organizations-rest.test.ts.
  acceptInvitation: invitation,
  listTeams: organization(),
  createTeam: organization({ name: 'Team' }),
  getTeam: team(),
  updateTeam: team({ name: 'New' }),
  deleteTeam: team(),
  listTeamMembers: team(),
  addTeamMember: team(),
  removeTeamMember: team(),
  listProjects: nothing,
  listProjectsOfOrganization: organization(),
  createProject: organization({ name: 'New' }),
  getProject: project('there'),
  updateProject: project('there', { name: 'Project' }),
  deleteProject: project('new'),
  restoreProject: project('deleted'),
  async transferProject(world, at) {
    const { params } = await project('new')(world, at)
    return { params: params ?? {}, body: { organizationId: world.a.id } }
  },
  listApiKeys: nothing,
  createApiKey: body({ name: 'new', role: 'viewer' }),
  getApiKey: key(),
  revokeApiKey: key(),
  rotateApiKey: key({ overlap: 60 }),
  listFiles: nothing,
  async deleteFiles(world, { place }) {
    return { body: { ids: [place ? await world.file(place) : newId()] } }
  },
  async signFiles(world, { place }) {
    return { body: { ids: [place ? await world.file(place) : newId()] } }
  },
  async uploadFileFromUrl(world) {
    const { id: organizationId, ownerId, projects } = world.a
    const [projectId = ''] = projects
    const id = await world.file({ organizationId, ownerId, projectId, route: 'mine' })
    const path = await world.server.carcosa.api.files.sign(id)
    const url = `http://127.0.0.1:${world.server.port}${path}`
    return { body: { url, route: 'mine' } }
  },
  getFileByCustomId: one('custom ', async (world, place) => {
    const customId = `custom ${newId()}`
    await world.file(place, { customId })
    return customId
  }),
  getFile: file(),
  updateFile: file({ tags: ['new'] }),
  deleteFile: file(),
  restoreFile: one(
    '',
    async (world, place) => {
      const id = await world.file(place)
      await world.server.carcosa.api.files.delete(id)
      return id
    },
    {},
  ),
  signFile: file({}),
  listUploads: nothing,
  createUpload: body({ route: 'mine', size: 3 }),
  getUpload: upload,
  cancelUpload: upload,
  async listEvents(world, { place }) {
    return { query: { file: place ? await world.file(place) : newId() } }
  },
  listJobs: nothing,
  retryJobs: body({}),
  getSettings: nothing,
  getUsage: nothing,
  setQuota: body({}),
  listAuditEntries: nothing,
  listLoggedRequests: nothing,
}
