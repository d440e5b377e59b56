import { createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the client of a server sends, and the server left for it in its directory. */
export type Credential = 'key' | 'jwt'

export const jwtOptions = {
  secret: 'a secret of a benchmark, which guards nothing',
  issuer: 'bench',
  audience: 'carcosa',
}

export function readCredential(directory: string): string {
  return readFileSync(join(directory, 'credential'), 'utf8')
}

export function writeCredential(directory: string, token: string): void {
  writeFileSync(join(directory, 'credential'), token)
}

/** For a day, with HS256: https://www.rfc-editor.org/rfc/rfc7515. */
export function signJwt(sub: string): string {
  const { secret, issuer: iss, audience: aud } = jwtOptions
  const exp = Math.floor(Date.now() / 1_000) + 86_400
  const signed = [
    { alg: 'HS256', typ: 'JWT' },
    { sub, iss, aud, exp },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
