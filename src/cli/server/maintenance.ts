import { userInfo } from 'node:os'
import type { Carcosa } from '../../carcosa.ts'
import { createLogger } from '../../ops/log.ts'
import { actingAs, type Caller } from '../../shared/request-context.ts'
import type { Io, ParsedArgs } from '../verb.ts'
import { carcosaOptions, settingsFrom } from './settings.ts'

/**
 * Opens the Carcosa that the command line and its configuration describe, without listening
 * and without running jobs, lets `work` use it, and closes it. For verbs that look after
 * files: their flags are {@link settingFlags} and their own. Warnings go to standard error.
 *
 * @throws {CarcosaError} as createCarcosa, DATABASE_LOCKED where a server has the embedded
 *   database open
 *
 * @example
 * const parsed = readArgs(args, { ...settingFlags, 'dry-run': { type: 'boolean' } })
 * return await withCarcosa(parsed, io, async (carcosa) => …)
 */
export async function withCarcosa<T>(
  parsed: ParsedArgs,
  io: Io,
  work: (carcosa: Carcosa) => Promise<T>,
): Promise<T> {
  const { config, origins } = await settingsFrom(parsed, io)
  // What the server tells every day is noise under a report.
  const level = origins.logLevel === 'default' ? 'warn' : config.logLevel
  const logger = config.logger ?? createLogger({ level, output: io.stderr })
  // Loaded here so that other verbs start without it.
  const { createCarcosa } = await import('../../carcosa.ts')
  const carcosa = await createCarcosa({
    ...carcosaOptions(config),
    logger,
    worker: false,
  })
  try {
    return await actingAs(person(), () => work(carcosa))
  } finally {
    await carcosa.close()
  }
}

/** Who is told to the audit log: the user of the system, who may have no name. */
function person(): Caller {
  try {
    return { kind: 'cli', id: userInfo().username }
  } catch {
    return { kind: 'cli', id: null }
  }
}
