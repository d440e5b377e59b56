import type { Carcosa } from '../../carcosa.ts'
import type { Config } from '../../config.ts'
import { type Io, type ParsedArgs, readArgs } from '../verb.ts'
import { settingFlags, settingsFrom } from './settings.ts'

/** The flags of `carcosa users …`. */
export const userFlags = { ...settingFlags, json: { type: 'boolean' } } as const

type Login = Awaited<ReturnType<Carcosa['api']['users']['createLoginLink']>>

/** Prints a link alone to standard output, and what it is to standard error. */
export async function showLink(
  { url, expiresAt }: Login,
  { parsed, io, who }: { parsed: ParsedArgs; io: Io; who: string },
): Promise<void> {
  const { config } = await settingsFrom(parsed, io)
  io.stderr.write(`Signs in ${who}, once, until ${expiresAt.toISOString()}:\n`)
  io.stdout.write(`${absolute(url, config)}\n`)
}

export function readUser(args: string[]): ParsedArgs {
  return readArgs(args, userFlags, 1)
}

/** Without the setting publicUrl it is the address that a server of this machine listens on. */
export function absolute(url: string, { host, port }: Config): string {
  return url.startsWith('/') ? `http://${host}:${port}${url}` : url
}
