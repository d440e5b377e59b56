import { randomBytes } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDataDir, unusable } from './data-dir.ts'
import type { Database, Statement } from './db/database.ts'
import { CarcosaError } from './shared/errors.ts'

/**
 * The secrets of a server that was given none, made once and kept, so that links and tickets
 * survive a restart: the first signs, all verify. With the embedded database it lies in the data
 * directory, readable by its owner only. With Postgres it lies in there, since what one node
 * signs the others must verify; one that a directory has from before is taken over.
 *
 * @throws {CarcosaError} CONFIG_INVALID if it can be neither read nor written
 */
export async function keptSecrets(db: Database, dataDir: string): Promise<string[]> {
  const path = join(dataDir, 'secret')
  if (db.kind !== 'postgres') return [await fromDirectory(dataDir, path)]
  const own = await readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => null,
  )
  const [kept] = await db.query<{ value: string }>(keepStatement, [own ?? newSecret()])
  if (!kept) throw new CarcosaError('INTERNAL')
  return own === null || own === kept.value ? [kept.value] : [kept.value, own]
}

async function fromDirectory(dataDir: string, path: string): Promise<string> {
  await makeDataDir(dataDir)
  try {
    await create(path)
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw unusable(cause, 'or give secret (CARCOSA_SECRET)')
  }
}

/** Two processes may start at once: only one of them creates the file. */
async function create(path: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(`${newSecret()}\n`)
    await file.close()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
      throw error
  }
}

function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** The first one to come stays; whoever comes at the same time waits for it, and gets it. */
const keepStatement: Statement = {
  name: 'setting_keep_secret',
  sql: `INSERT INTO carcosa.setting AS s (name, value) VALUES ('secret', $1)
ON CONFLICT (name) DO UPDATE SET value = s.value
RETURNING value`,
}
