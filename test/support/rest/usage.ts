import type { Scenes } from './scene.ts'

export const usage: Scenes = {
  getUsage: async () => ({ query: { by: 'route', from: '2026-01-01' } }),
  setQuota: async () => ({ body: { bytes: 1_000_000_000, perOwner: { files: 1_000 } } }),
}
