import { findFile } from './files/records.ts'
import type { Jobs } from './jobs/queue.ts'
import { mirror } from './upkeep/mirror.ts'
import { reconcile } from './upkeep/reconcile.ts'
import { recordDigest, redriveCompletion } from './uploads/completion.ts'
import type { UploadDeps } from './uploads/deps.ts'
import { purge } from './uploads/purge.ts'
import { sweep } from './uploads/sweep.ts'

/** Introduces jobs to the nouns that do them. Every handler may run twice. */
export async function startWorker(jobs: Jobs, uploads: UploadDeps): Promise<void> {
  await jobs.work('upload.complete', ({ fileId }) => redriveCompletion(uploads, fileId))
  await jobs.work('upload.digest', ({ fileId }) => recordDigest(uploads, fileId))
  await jobs.work('uploads.sweep', async () => {
    const { expired, purged } = await sweep(uploads)
    if (expired + purged > 0) uploads.log.info({ expired, purged }, 'swept')
  })
  await jobs.work('stores.reconcile', async (_data, { signal }) => {
    const report = await reconcile(uploads, { signal })
    if (report.needsAttention) uploads.log.error({ report }, 'stores need attention')
    else uploads.log.info({ report }, 'stores reconciled')
  })
  await jobs.work('file.purge', async ({ fileId }) => {
    const record = await findFile(uploads.db, fileId)
    if (!record || record.purgedAt) return
    if (!(await purge(uploads, record))) throw new Error(`could not purge ${fileId}`)
  })
  await jobs.work('file.mirror', ({ fileId }, { signal }) =>
    mirror(uploads, fileId, signal),
  )
}
