import type { Scenes } from './scene.ts'

export const audit: Scenes = {
  async listAuditEntries({ server }) {
    await server.carcosa.api.keys.create({ name: 'scene' })
    return { query: { limit: '1', action: 'key.created', outcome: 'done' } }
  },
  listLoggedRequests: async () => ({ query: { limit: '1' } }),
}
