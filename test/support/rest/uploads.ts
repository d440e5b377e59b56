import type { Scenes } from './scene.ts'
import type { RestWorld } from './world.ts'

const begun = async (world: RestWorld) => ({ id: await world.upload() })

export const uploads: Scenes = {
  createUpload: async () => ({
    body: { route: 'mine', filename: 'a.txt', size: 5, metadata: { from: 'a scene' } },
  }),
  async listUploads(world) {
    await begun(world)
    return { query: { limit: '1' } }
  },
  getUpload: async (world) => ({ params: await begun(world) }),
  cancelUpload: async (world) => ({ params: await begun(world) }),
}
