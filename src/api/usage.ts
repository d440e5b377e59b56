import { isForeignKeyViolation } from '../db/errors.ts'
import { CarcosaError } from '../shared/errors.ts'
import { parseQuota, type QuotaLimits, type QuotaOptions } from '../shared/quota.ts'
import type { UploadDeps } from '../uploads/deps.ts'
import { findQuota, type Quota, writeLimits } from '../usage/quota-rows.ts'
import { type Recount, recount } from '../usage/recount.ts'
import { reportUsage, type UsageQuery, type UsageReport } from '../usage/report.ts'
import type { ApiDeps } from './deps.ts'

/** What UploadThing's `getUsageInfo` tells. */
export interface UsageInfo {
  /** Of all stored files. */
  totalBytes: number
  /** The same: there is one application in a project. */
  appTotalBytes: number
  /** Files that are stored. */
  filesUploaded: number
  /** Null where nothing limits it. */
  limitBytes: number | null
}

/** What is stored, and what may be. Nothing here asks who is calling. */
export interface UsageApi {
  /**
   * What is stored now, and what was stored and deleted by day, route or owner.
   * @throws {CarcosaError} BAD_REQUEST
   */
  get(query?: UsageQuery & { projectId?: string }): Promise<UsageReport>
  /** The same in short. */
  info(projectId?: string): Promise<UsageInfo>
  /** Null if a project never had one. Default the default project. */
  quota(projectId?: string): Promise<Quota | null>
  /**
   * Limits what a project may store, from the next upload on; null lifts it. Resolves when all
   * that is stored is counted. A project that has more than it may keeps it, and gets no more.
   * @throws {CarcosaError} BAD_REQUEST, PROJECT_NOT_FOUND
   */
  setQuota(projectId: string, quota: QuotaOptions | null): Promise<Quota>
  /** Compares the counters of a project with its files and mends them. A job does it daily. */
  recount(projectId?: string): Promise<Recount>
}

export function createUsageApi({ uploads, run }: ApiDeps): UsageApi {
  const { db, settings } = uploads
  return {
    get: ({ projectId = settings.projectId, ...query } = {}) =>
      run(() => reportUsage(db, projectId, query)),
    info: (projectId = settings.projectId) =>
      run(async () => {
        const { bytes, files, quota } = await reportUsage(db, projectId)
        const limitBytes = quota?.bytes ?? null
        return {
          totalBytes: bytes,
          appTotalBytes: bytes,
          filesUploaded: files,
          limitBytes,
        }
      }),
    quota: (projectId = settings.projectId) => run(() => findQuota(db, projectId)),
    recount: (projectId = settings.projectId) => run(() => recount(db, projectId)),
    setQuota: (projectId, quota) =>
      run(async () => {
        const limits = parse(quota)
        if (await setLimits(uploads, projectId, limits)) await recount(db, projectId)
        return {
          usedBytes: 0,
          usedFiles: 0,
          ...limits,
          ...(await findQuota(db, projectId)),
        }
      }),
  }
}

/**
 * Sets what a project may store, and has what it stores counted soon. False if that was so already.
 * @throws {CarcosaError} PROJECT_NOT_FOUND
 */
export async function setLimits(
  { db, quotas, jobs }: Pick<UploadDeps, 'db' | 'quotas' | 'jobs'>,
  projectId: string,
  limits: QuotaLimits,
): Promise<boolean> {
  const isChanged = await writeLimits(db, projectId, limits).catch((error) => {
    throw isForeignKeyViolation(error) ? noProject(projectId) : error
  })
  if (!isChanged) return false
  quotas.changed(projectId)
  // When every process has heard of it.
  const options = { startAfterMs: 15_000 }
  await jobs.enqueue(null, 'usage.recount', { projectId }, options)
  return true
}

function parse(quota: unknown): QuotaLimits {
  try {
    return parseQuota(quota)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new CarcosaError('BAD_REQUEST', { message, cause })
  }
}

function noProject(id: string): CarcosaError {
  return new CarcosaError('PROJECT_NOT_FOUND', {
    message: `There is no project ${JSON.stringify(String(id).slice(0, 64))}.`,
  })
}
