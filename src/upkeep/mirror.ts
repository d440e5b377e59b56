import { isReadable } from '../files/record.ts'
import { findFile } from '../files/records.ts'
import type { UploadDeps } from '../uploads/deps.ts'
import { mirrorOf } from '../uploads/file-job.ts'
import { copyFile, hasCopy } from './copy.ts'

/**
 * The job that copies a stored file to the mirror of its route. May run twice, and after the
 * file has ended.
 *
 * @throws if it could not be copied now, so that the queue tries again
 */
export async function mirror(
  deps: UploadDeps,
  fileId: string,
  signal: AbortSignal,
): Promise<void> {
  const file = await findFile(deps.db, fileId)
  if (!file || !isReadable(file.state)) return
  const to = mirrorOf(deps, file)
  if (to === null || (await hasCopy(deps, file, to))) return
  await copyFile(deps, file, { to, signal })
}
