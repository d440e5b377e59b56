import type { AuthRequest } from './principal.ts'

/**
 * The token of `Authorization: Bearer <token>`; null without one, or with another scheme. Its
 * form is not judged.
 */
export function bearerToken({ headers }: Pick<AuthRequest, 'headers'>): string | null {
  const [, token] = /^bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '') ?? []
  return token ?? null
}
