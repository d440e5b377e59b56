import { organization } from './organizations.ts'
import type { Scenes } from './scene.ts'
import type { RestWorld } from './world.ts'

async function project(world: RestWorld) {
  const { api } = world.server.carcosa
  const { id: organizationId, headers } = await organization(world)
  const { id } = await api.projects.create({ name: 'Scene', organizationId })
  return { headers, params: { id } }
}

async function ofOrganization(world: RestWorld) {
  const { headers, params } = await organization(world)
  return { headers, params }
}

export const projects: Scenes = {
  listProjects: async () => ({ query: { limit: '1' } }),
  listProjectsOfOrganization: ofOrganization,
  createProject: async (world) => ({
    ...(await ofOrganization(world)),
    body: { name: 'Site', settings: { allowedRoutes: ['mine'], publicUploads: false } },
  }),
  getProject: project,
  updateProject: async (world) => ({
    ...(await project(world)),
    body: { name: 'New', settings: { eventRetention: 60_000 } },
  }),
  deleteProject: project,
  async restoreProject(world) {
    const made = await project(world)
    await world.server.carcosa.api.projects.delete(made.params.id)
    return made
  },
  async transferProject(world) {
    const { api } = world.server.carcosa
    const made = await project(world)
    const ownerId = made.headers.Authorization.slice('Bearer '.length)
    const { id } = await api.organizations.create({ name: 'New', ownerId })
    return { ...made, body: { organizationId: id } }
  },
}
