import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { listen } from './server.ts'

/** Somebody who issues tokens, with keys of their own and a server that publishes them. */
export interface Issuer {
  readonly url: string
  readonly jwksUri: string
  /** How often the keys were fetched. */
  fetched(): number
  /** What the server does from now on. */
  answer(with_: 'keys' | 'error' | 'nonsense'): void
  /** A token as this issuer makes them: for an hour, for `uploads`. */
  token(claims?: JWTPayload, options?: TokenOptions): Promise<string>
  /** Signs with a new key from now on; the old one is published no more if `only`. */
  rotate(options?: { only?: boolean }): Promise<void>
  readonly publicKey: () => KeyObject
  close(): Promise<void>
}

export interface TokenOptions {
  header?: Record<string, unknown>
  key?: KeyObject | Uint8Array
}

interface Pair {
  kid: string
  publicKey: KeyObject
  privateKey: KeyObject
}

export const audience = 'uploads'

export async function startIssuer(alg: 'RS256' | 'ES256' = 'RS256'): Promise<Issuer> {
  let pairs = [pairOf(alg)]
  let mode: Parameters<Issuer['answer']>[0] = 'keys'
  let fetched = 0
  const server: Server = createServer(async (_request, response) => {
    fetched++
    if (mode === 'error') return void response.writeHead(500).end('down')
    if (mode === 'nonsense') return void response.end('<html>')
    const keys = await Promise.all(
      pairs.map(async ({ kid, publicKey }) => ({
        ...(await exportJWK(publicKey)),
        kid,
        alg,
        use: 'sig',
      })),
    )
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys }))
  })
  const port = await listen(server)
  const url = `http://127.0.0.1:${port}`

  return {
    url,
    jwksUri: `${url}/.well-known/jwks.json`,
    fetched: () => fetched,
    answer(with_) {
      mode = with_
    },
    token(claims = {}, { header = {}, key = newest(pairs).privateKey } = {}) {
      const now = Math.floor(Date.now() / 1000)
      const usual = { iss: url, aud: audience, sub: 'ann', iat: now, exp: now + 3600 }
      const payload = { ...usual, ...claims }
      return new SignJWT(payload)
        .setProtectedHeader({ alg, kid: newest(pairs).kid, ...header })
        .sign(key)
    },
    async rotate({ only = false } = {}) {
      pairs = only ? [pairOf(alg)] : [...pairs, pairOf(alg)]
    },
    publicKey: () => newest(pairs).publicKey,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function newest(pairs: readonly Pair[]): Pair {
  const pair = pairs.at(-1)
  if (!pair) throw new TypeError('an issuer has a key')
  return pair
}

export function pairOf(alg: 'RS256' | 'ES256'): Pair {
  const kid = randomUUID()
  if (alg === 'ES256') {
    return { kid, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
  }
  return { kid, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) }
}
