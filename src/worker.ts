import { tellMembers } from './accounts/members.ts'
import { dropOldLines } from './audit/retention.ts'
import { createOutbox } from './events/outbox.ts'
import { dropKeys } from './idempotency/rows.ts'
import type { JobName } from './jobs/definitions.ts'
import type { JobHandlers } from './jobs/handler.ts'
import type { Jobs } from './jobs/queue.ts'
import { dropCounts } from './limits/postgres-counts.ts'
import { transferProject } from './projects/change-project.ts'
import { removeProject } from './projects/remove-project.ts'
import { inRequestOf } from './shared/request-context.ts'
import { mirror } from './upkeep/mirror.ts'
import { reconcile } from './upkeep/reconcile.ts'
import { recordDigest, redriveCompletion } from './uploads/completion.ts'
import type { UploadDeps } from './uploads/deps.ts'
import { sweep } from './uploads/sweep.ts'
import { findLimited } from './usage/quota-rows.ts'
import { recount } from './usage/recount.ts'
import { rollUpAll } from './usage/rollup.ts'

/** Introduces jobs to the nouns that do them: those of `queues`, which run in this process. */
export async function startWorker(
  jobs: Jobs,
  uploads: UploadDeps,
  queues: readonly JobName[],
): Promise<void> {
  const handlers = jobHandlers(uploads)
  const work = <Name extends JobName>(name: Name) => jobs.work(name, handlers[name])
  for (const name of queues) await work(name)
}

/** What is done with each kind of job. Every handler may run twice, also twice at once. */
export function jobHandlers(uploads: UploadDeps): JobHandlers {
  return {
    'upload.complete': ({ fileId, request }) =>
      inRequestOf(request, () => redriveCompletion(uploads, fileId)),
    'upload.digest': ({ fileId }) => recordDigest(uploads, fileId),
    'uploads.sweep': async () => {
      const { expired, purged } = await sweep(uploads)
      const dropped = await dropEvents(uploads)
      await dropCounts(uploads.db)
      await dropKeys(uploads.db)
      if (expired + purged + dropped > 0)
        uploads.log.info({ expired, purged, dropped }, 'swept')
    },
    'logs.expire': async () => {
      const dropped = await dropOldLines(uploads.db, uploads.settings.logRetention)
      if (dropped > 0) uploads.log.info({ dropped }, 'old lines of the logs deleted')
    },
    'stores.reconcile': async (_data, { signal }) => {
      const report = await reconcile(uploads, { signal })
      if (report.needsAttention) uploads.log.error({ report }, 'stores need attention')
      else uploads.log.info({ report }, 'stores reconciled')
    },
    'file.mirror': ({ fileId }, { signal }) => mirror(uploads, fileId, signal),
    'project.delete': ({ projectId }, { signal }) =>
      removeProject(uploads, projectId, signal),
    'project.transfer': async (transfer) => {
      if (await transferProject(uploads, transfer)) tellMembers(uploads.channel, ['*'])
    },
    'usage.recount': ({ projectId }, { signal }) =>
      recountQuotas(uploads, { projectId, signal }),
    'usage.rollup': async () => {
      await createOutbox(uploads.db).number()
      await rollUpAll(uploads.db)
    },
  }
}

/** Of one project, or of all that have one. What was wrong is told: it should not be. */
async function recountQuotas(
  { db, log }: UploadDeps,
  { projectId, signal }: { projectId: string | undefined; signal: AbortSignal },
): Promise<void> {
  let ids = projectId === undefined ? await findLimited(db, '') : [projectId]
  while (ids.length > 0) {
    for (const id of ids) {
      if (signal.aborted) return
      const { files, drift, owners } = await recount(db, id)
      const about = { projectId: id, files, drift, owners }
      if (drift.bytes !== 0 || drift.files !== 0 || owners > 0)
        log.warn(about, 'the counters of a quota were wrong')
      else if (files > 0) log.info(about, 'files were counted for a quota')
    }
    ids = projectId === undefined ? await findLimited(db, ids.at(-1) ?? '') : []
  }
}

/** They are numbered first, also where nobody ever reads them: what is left must not pile up. */
async function dropEvents({ db, settings }: UploadDeps): Promise<number> {
  const outbox = createOutbox(db)
  await outbox.number()
  const dropped = await outbox.drop(new Date(Date.now() - settings.eventRetention))
  return dropped + (await outbox.dropBySettings())
}
