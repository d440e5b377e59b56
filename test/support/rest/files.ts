import type { Scenes } from './scene.ts'

export const files: Scenes = {
  async listFiles(world) {
    await world.file()
    return { query: { route: 'mine', limit: '1' } }
  },
  getFile: async (world) => ({ params: { id: await world.file() } }),
  updateFile: async (world) => ({
    params: { id: await world.file() },
    body: { filename: 'new.txt' },
  }),
  deleteFile: async (world) => ({ params: { id: await world.file() } }),
  deleteFiles: async (world) => ({ body: { ids: [await world.file()] } }),
  signFile: async (world) => ({ params: { id: await world.file() }, body: {} }),
}
