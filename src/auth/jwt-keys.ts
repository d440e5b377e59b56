import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWTVerifyGetKey,
  type RemoteJWKSet,
} from 'jose'
import { CarcosaError } from '../shared/errors.ts'

/** How long an answer of the issuer may take, in ms. */
const timeoutMs = 5_000
/** How long it is not asked again after it failed, in ms. */
const pauseMs = 2_000
/** How long after it was last reached its keys still count where it cannot be, in ms. */
const staleMs = 3_600_000

/**
 * The keys that an issuer publishes. A header never leads anywhere else: `jku`, `x5u` and `jwk`
 * are not looked at, and `kid` is only compared.
 *
 * @throws {CarcosaError} AUTH_UNAVAILABLE where the issuer cannot be reached: the token may well
 *   be good
 */
export function remoteKeys(jwksUri: URL): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(jwksUri, { timeoutDuration: timeoutMs })
  let reachedAt = Number.NEGATIVE_INFINITY
  let failed = { at: Number.NEGATIVE_INFINITY, error: null as unknown }

  return async (header, token) => {
    if (!remote.fresh && Date.now() - failed.at < pauseMs) {
      return kept(remote, reachedAt, failed.error)(header, token)
    }
    try {
      const key = await remote(header, token)
      reachedAt = Date.now()
      return key
    } catch (error) {
      if (isAboutToken(error)) throw error
      failed = { at: Date.now(), error }
      return kept(remote, reachedAt, error)(header, token)
    }
  }
}

/** The keys as they were when the issuer was last reached. */
function kept(remote: RemoteJWKSet, reachedAt: number, cause: unknown): JWTVerifyGetKey {
  const keys = Date.now() - reachedAt < staleMs ? remote.jwks() : undefined
  return async (header, token) => {
    try {
      if (keys) return await createLocalJWKSet(keys)(header, token)
    } catch (error) {
      // It may have come since.
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
    }
    throw new CarcosaError('AUTH_UNAVAILABLE', {
      message: 'The keys of the issuer cannot be fetched at the moment. Try again.',
      headers: { 'Retry-After': '5' },
      cause,
    })
  }
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
}
