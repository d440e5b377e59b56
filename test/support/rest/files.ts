import type { Scenes } from './scene.ts'

export const files: Scenes = {
  async uploadFileFromUrl(world) {
    const path = await world.server.carcosa.api.files.sign(await world.file())
    const url = `http://127.0.0.1:${world.server.port}${path}`
    return { body: { url, route: 'mine', filename: 'b.txt', tags: ['fetched'] } }
  },
  async getFileByCustomId(world) {
    const id = await world.file()
    await world.server.carcosa.api.files.update(id, { customId: `custom ${id}` })
    return { params: { id: `custom ${id}` } }
  },
  async restoreFile(world) {
    const id = await world.file()
    await world.server.carcosa.api.files.delete(id)
    return { params: { id }, body: {} }
  },
  async listFiles(world) {
    await world.file()
    return { query: { route: 'mine', limit: '1' } }
  },
  getFile: async (world) => ({ params: { id: await world.file() } }),
  updateFile: async (world) => ({
    params: { id: await world.file() },
    body: { filename: 'new.txt', tags: ['a'], acl: 'public-read' },
  }),
  deleteFile: async (world) => ({ params: { id: await world.file() } }),
  deleteFiles: async (world) => ({ body: { ids: [await world.file()] } }),
  signFiles: async (world) => ({ body: { ids: [await world.file(), 'none'] } }),
  signFile: async (world) => ({ params: { id: await world.file() }, body: {} }),
}
