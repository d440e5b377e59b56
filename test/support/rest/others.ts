import type { Scenes } from './scene.ts'
import type { RestWorld } from './world.ts'

const job = async (world: RestWorld) => {
  const fileId = await world.file()
  await world.server.uploads.jobs.enqueue(null, 'upload.digest', { fileId })
}

export const others: Scenes = {
  async listEvents(world) {
    await world.file()
    return { query: { limit: '1' } }
  },
  async listJobs(world) {
    await job(world)
    return { query: { queue: 'upload.digest' } }
  },
  async retryJobs(world) {
    await job(world)
    return { body: {} }
  },
  getSettings: async () => ({}),
}
