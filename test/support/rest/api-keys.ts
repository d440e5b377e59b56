import type { Scenes } from './scene.ts'
import type { RestWorld } from './world.ts'

const made = async ({ server }: RestWorld) => {
  const { id } = await server.carcosa.api.keys.create({ name: 'scene', role: 'viewer' })
  return { id }
}

export const apiKeys: Scenes = {
  async listApiKeys(world) {
    await made(world)
    return { query: { limit: '1' } }
  },
  createApiKey: async () => ({
    body: { name: 'ci', role: 'viewer', scopes: { routes: ['mine'] }, expiresIn: 60 },
  }),
  getApiKey: async (world) => ({ params: await made(world) }),
  revokeApiKey: async (world) => ({ params: await made(world) }),
  rotateApiKey: async (world) => ({ params: await made(world), body: { overlap: 60 } }),
}
