/**
 * What runs in the containers: routes, and who may use them. Where things are is said by the
 * environment (DATABASE_URL, CARCOSA_STORE, CARCOSA_SECRET …), so that nodes, workers and
 * `carcosa doctor` share this file.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import {
  type AuthProvider,
  CarcosaError,
  createRouter,
  defineConfig,
  route,
} from 'carcosa'

/** Everybody who has the token is one and the same user: put your own sessions here. */
const tokenAuth: AuthProvider = {
  name: 'token',
  authenticate({ headers }) {
    const authorization = headers.get('authorization')
    if (!authorization) return null
    if (!isToken(authorization.replace(/^Bearer /, ''))) {
      throw new CarcosaError('UNAUTHENTICATED', { message: 'This is not UPLOAD_TOKEN.' })
    }
    return { id: 'operator', kind: 'api-key' }
  },
}

function isToken(given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const token = process.env.UPLOAD_TOKEN
  return token !== undefined && timingSafeEqual(digest(given), digest(token))
}

const router = createRouter({
  files: route({ blob: { maxFileSize: '50GB', maxFileCount: 100 } }),
  // For `carcosa doctor`: no callback runs, and what it could not delete is soon forgotten.
  doctor: route({ blob: { maxFileSize: '256MB' } }).expiresIn('1h'),
})

export default defineConfig({ router, auth: [tokenAuth] })
