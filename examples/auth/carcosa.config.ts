/**
 * A server of its own for the users of an application and for programs with API keys:
 *
 *   npx carcosa keys create ci --actions uploads.create
 *   npx carcosa start
 */
import { apiKeys, createRouter, defineConfig, route } from 'carcosa'
import { clerk } from './clerk.ts'

export const router = createRouter({
  report: route({ pdf: { maxFileSize: '20MB' } }),
})

export default defineConfig({
  router,
  auth: [
    apiKeys(),
    clerk({
      issuer: process.env.CLERK_ISSUER ?? 'https://example.clerk.accounts.dev',
      origins: ['https://app.example.com'],
    }),
  ],
  roles: {
    auditor: ['files.read', 'events.read', 'audit.read'],
  },
})
