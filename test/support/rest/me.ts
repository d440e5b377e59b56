import type { Scenes } from './scene.ts'

export const me: Scenes = { getMe: async () => ({}) }
