/**
 * A server that keeps files encrypted.
 *
 *   export STORE_SECRET=$(openssl rand -base64 32)
 *   npx carcosa start --config examples/custom-store/carcosa.config.ts
 */
import { createRouter, defineConfig, file, route } from 'carcosa'
import { encrypted } from './encrypted.ts'

const secret = Buffer.from(process.env.STORE_SECRET ?? '', 'base64')

export default defineConfig({
  router: createRouter({ letter: route(['text', 'pdf']).public() }),
  store: encrypted(file({ directory: 'letters' }), secret),
})
