import { createPublicKey, KeyObject } from 'node:crypto'
import { parseDuration } from '../shared/durations.ts'
import type { AuthProvider, AuthRequest, Principal } from './principal.ts'

/** What a verified token says. */
export type JwtClaims = Readonly<Record<string, unknown>> & {
  readonly sub?: string
  readonly iss?: string
  readonly aud?: string | readonly string[]
  readonly exp: number
}

/** Exactly one of `jwksUri`, `secret` and `key`. */
export interface JwtOptions {
  /**
   * Where the issuer publishes its keys. They are fetched when first needed, again after ten
   * minutes, and for a key that is not known at most twice a minute.
   */
  readonly jwksUri?: string | URL
  /** A secret shared with the issuer, of at least 32 bytes. */
  readonly secret?: string | Uint8Array
  /** The public key of the issuer: PEM, JWK, or a KeyObject. */
  readonly key?: string | JsonWebKey | KeyObject
  /** Who must have issued a token; one of several. Null: not looked at. */
  readonly issuer: string | readonly string[] | null
  /**
   * Whom a token must be meant for; one of several. Null: not looked at, and then tokens that the
   * issuer made for other applications are as good.
   */
  readonly audience: string | readonly string[] | null
  /**
   * The algorithms that are accepted. Default HS256 with `secret`; else RS256, PS256, ES256,
   * ES384, ES512 and EdDSA.
   */
  readonly algorithms?: readonly string[]
  /**
   * Makes a principal of the claims of a token; null for one that is nobody here. Runs for each
   * request, so that what it looks up is never old. Default: a user whose id is `sub`.
   */
  readonly principal?: (claims: JwtClaims) => Principal | null | Promise<Principal | null>
  /** By how much clocks may differ: milliseconds or `5s`. Default 5 seconds. */
  readonly clockTolerance?: number | string
  /** Where the token is. Default `Authorization: Bearer`. */
  readonly token?: (request: AuthRequest) => string | null
  /** See {@link AuthProvider.isShutOut}. Default never. */
  readonly isShutOut?: NonNullable<AuthProvider['isShutOut']>
  /** What messages call it. Default `jwt`. */
  readonly name?: string
}

export type KeySource =
  | { readonly jwksUri: URL }
  | { readonly fixed: Uint8Array | KeyObject }

/** Options with defaults filled in, checked against each other. */
export interface ParsedJwt {
  readonly source: KeySource
  readonly issuer: string[] | null
  readonly audience: string[] | null
  readonly algorithms: string[]
  /** Seconds. */
  readonly clockTolerance: number
}

const shared = ['HS256', 'HS384', 'HS512']
const signing = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384']
const publicAlgorithms = [...signing, 'ES512', 'EdDSA', 'Ed25519']
const usual = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA']
const leastSecret = 32

/** @throws {TypeError} saying which option is wrong and what is allowed */
export function parseJwtOptions(options: JwtOptions): ParsedJwt {
  const { issuer, audience, clockTolerance = '5s' } = options
  const source = sourceOf(options)
  return {
    source,
    issuer: namesOf('issuer', issuer),
    audience: namesOf('audience', audience),
    algorithms: algorithmsOf(options),
    clockTolerance: parseDuration(clockTolerance) / 1000,
  }
}

function sourceOf({ jwksUri, secret, key }: JwtOptions): KeySource {
  const given = [jwksUri, secret, key].filter((one) => one !== undefined)
  if (given.length !== 1) throw wrong('takes exactly one of jwksUri, secret and key')
  if (jwksUri !== undefined) return { jwksUri: uriOf(jwksUri) }
  if (secret !== undefined) return { fixed: secretOf(secret) }
  return { fixed: publicKeyOf(key) }
}

function uriOf(jwksUri: string | URL): URL {
  const uri = URL.canParse(jwksUri) ? new URL(jwksUri) : null
  if (uri && /^https?:$/.test(uri.protocol)) return uri
  throw wrong('needs a jwksUri that is an http or https URL')
}

function secretOf(secret: string | Uint8Array): Uint8Array {
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : secret
  if (bytes instanceof Uint8Array && bytes.length >= leastSecret) return bytes
  throw wrong(`needs a secret of at least ${leastSecret} bytes`)
}

/** A private key that is given by mistake becomes its public one. */
function publicKeyOf(key: JwtOptions['key']): KeyObject {
  try {
    if (key instanceof KeyObject && key.type === 'public') return key
    if (typeof key === 'string' || key instanceof KeyObject) return createPublicKey(key)
    return createPublicKey({ key: { ...key }, format: 'jwk' })
  } catch (cause) {
    throw wrong('needs a key that is a public key, as PEM, JWK or KeyObject', cause)
  }
}

/** What checks a signature with a secret must not be tricked into using a public key as one. */
function algorithmsOf({ secret, algorithms }: JwtOptions): string[] {
  const allowed = secret === undefined ? publicAlgorithms : shared
  const wanted = algorithms ?? (secret === undefined ? usual : ['HS256'])
  if (wanted.length > 0 && wanted.every((one) => allowed.includes(one))) {
    return [...wanted]
  }
  const kind = secret === undefined ? 'a public key' : 'a secret'
  throw wrong(`takes with ${kind} of the algorithms only ${allowed.join(', ')}`)
}

/** Left out by accident this would open the door, so it has to be said. */
function namesOf(
  what: 'issuer' | 'audience',
  value: string | readonly string[] | null,
): string[] | null {
  if (value === null) return null
  const names = typeof value === 'string' ? [value] : value
  const isList = Array.isArray(names) && names.length > 0
  if (isList && names.every((name) => typeof name === 'string' && name !== '')) {
    return [...names]
  }
  throw wrong(`needs ${what}: one or several, or null if it is not to be looked at`)
}

function wrong(what: string, cause?: unknown): TypeError {
  return new TypeError(`jwt() ${what}.`, { cause })
}
