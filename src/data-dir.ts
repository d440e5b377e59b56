import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { CarcosaError } from './shared/errors.ts'

/**
 * Makes the directory for everything Carcosa keeps itself, for its owner only.
 * @throws {CarcosaError} CONFIG_INVALID if it cannot be made or written
 */
export async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await access(dataDir, constants.W_OK)
  } catch (cause) {
    throw unusable(cause, 'or give another one (CARCOSA_DATA_DIR)')
  }
}

/** `otherwise` ends the sentence with what else there is to do. */
export function unusable(cause: unknown, otherwise: string): CarcosaError {
  const why = cause instanceof Error ? cause.message : cause
  return new CarcosaError('CONFIG_INVALID', {
    message: `The data directory cannot be written (${why}). Make it writable, ${otherwise}.`,
    cause,
  })
}
