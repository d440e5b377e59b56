/**
 * What the standalone server reads. What is not said here comes from flags and variables, so
 * that one file serves every environment.
 *
 *   npx carcosa start --config examples/standalone/carcosa.config.ts
 */
import { createRouter, defineConfig, file, route } from 'carcosa'

const router = createRouter({
  report: route({ pdf: { maxFileSize: '32MB' }, 'text/csv': { maxFileSize: '256MB' } })
    .public()
    .store('reports')
    .expiresIn('2 days'),
})

export default defineConfig({
  router,
  store: {
    reports: file({ directory: 'reports' }),
  },
  cors: { origins: ['https://app.example.com'] },
})
