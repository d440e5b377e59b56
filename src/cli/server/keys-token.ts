import type { Carcosa } from '../../carcosa.ts'
import { printable } from '../printable.ts'
import type { Io } from '../verb.ts'

type Made = Awaited<ReturnType<Carcosa['api']['keys']['create']>>

/** The token to standard output, for pipes and people alike; about it to standard error. */
export function showToken(key: Made, io: Io, asJson: boolean): void {
  if (asJson) {
    io.stdout.write(`${JSON.stringify(key, null, 2)}\n`)
    return
  }
  const { id, name, role, projectId, expiresAt, overlapUntil, token } = key
  io.stdout.write(`${token}\n`)
  const until = expiresAt ? `, until ${expiresAt.toISOString()}` : ''
  io.stderr.write(
    `${id} (${printable(name)}): role ${role}, project ${projectId}${until}\n`,
  )
  if (overlapUntil) {
    io.stderr.write(`The old token works until ${overlapUntil.toISOString()}.\n`)
  }
  io.stderr.write('The token is shown this once.\n')
}
