import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarcosaError } from './shared/errors.ts'

/**
 * The secret of a server that was given none: made once and kept, readable by its owner
 * only, so that links and tickets survive a restart.
 *
 * @throws {CarcosaError} CONFIG_INVALID if it can be neither read nor written
 */
export async function keptSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, 'secret')
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await create(path)
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new CarcosaError('CONFIG_INVALID', {
      message: `The secret in the data directory can be neither read nor made (${cause instanceof Error ? cause.message : cause}). Make the directory writable, or give secret (CARCOSA_SECRET).`,
      cause,
    })
  }
}

/** Two processes may start at once: only one of them creates the file. */
async function create(path: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(`${randomBytes(32).toString('base64url')}\n`)
    await file.close()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
      throw error
  }
}
