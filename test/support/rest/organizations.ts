import { newId } from '../../../src/shared/ids.ts'
import type { Scenes } from './scene.ts'
import type { RestWorld } from './world.ts'

/** Somebody with an account, known by the provider `bearer`. */
export async function person({ server }: RestWorld) {
  const id = `user_${newId()}`
  const email = `${newId().toLowerCase()}@example.com`
  await server.uploads.db.prisma.user.create({
    data: { id, email, name: 'Ann', emailVerified: true },
  })
  return { id, email, headers: { Authorization: `Bearer ${id}` } }
}

/** An organization, asked for as its owner. */
export async function organization(world: RestWorld) {
  const { api } = world.server.carcosa
  const { id: ownerId, headers } = await person(world)
  const { id } = await api.organizations.create({ name: 'Scene', ownerId })
  return { id, ownerId, headers, params: { id } }
}

async function withMember(world: RestWorld) {
  const { api } = world.server.carcosa
  const { headers, params } = await organization(world)
  const { id: userId } = await person(world)
  await api.members.add({ organizationId: params.id, userId })
  return { headers, params: { ...params, userId } }
}

async function withInvitation(world: RestWorld) {
  const { api } = world.server.carcosa
  const { ownerId: inviterId, headers, params } = await organization(world)
  const guest = await person(world)
  const { id: invitationId } = await api.invitations.create({
    ...{ organizationId: params.id, email: guest.email, inviterId },
  })
  return { guest, headers, params: { ...params, invitationId } }
}

async function withTeam(world: RestWorld) {
  const { api } = world.server.carcosa
  const { headers, params } = await withMember(world)
  const { id } = await api.teams.create({ organizationId: params.id, name: 'Team' })
  return { headers, params: { ...params, teamId: id } }
}

const team = async (world: RestWorld) => {
  const { headers, params } = await withTeam(world)
  return { headers, params: { id: params.id, teamId: params.teamId } }
}

const whole = async (world: RestWorld) => {
  const { headers, params } = await organization(world)
  return { headers, params }
}

const invitation = async (world: RestWorld) => {
  const { headers, params } = await withInvitation(world)
  return { headers, params }
}

export const organizations: Scenes = {
  async listOrganizations(world) {
    const { headers } = await organization(world)
    return { headers, query: { limit: '1' } }
  },
  async createOrganization(world) {
    const { headers } = await person(world)
    return { headers, body: { name: 'Acme', slug: `acme-${Date.now()}` } }
  },
  getOrganization: whole,
  updateOrganization: async (world) => ({
    ...(await whole(world)),
    body: { name: 'New' },
  }),
  deleteOrganization: whole,
  listMembers: whole,
  getMember: withMember,
  updateMember: async (world) => ({
    ...(await withMember(world)),
    body: { role: 'developer' },
  }),
  removeMember: withMember,
  async listInvitations(world) {
    const { headers, params } = await withInvitation(world)
    return { headers, params: { id: params.id } }
  },
  createInvitation: async (world) => ({
    ...(await whole(world)),
    body: { email: 'guest@example.com', role: 'viewer', expiresIn: 60 },
  }),
  getInvitation: invitation,
  revokeInvitation: invitation,
  async acceptInvitation(world) {
    const { guest, params } = await withInvitation(world)
    return { headers: guest.headers, params: { invitationId: params.invitationId } }
  },
  listTeams: whole,
  createTeam: async (world) => ({ ...(await whole(world)), body: { name: 'Team' } }),
  getTeam: team,
  updateTeam: async (world) => ({ ...(await team(world)), body: { name: 'New' } }),
  deleteTeam: team,
  listTeamMembers: team,
  addTeamMember: withTeam,
  removeTeamMember: withTeam,
}
