import { CarcosaError } from '../shared/errors.ts'
import type { DescribedRequest } from '../shared/request-context.ts'
import { didYouMean } from '../shared/suggest.ts'

/** What each kind of job carries. A job names rows; it never carries what they hold. */
export interface JobPayloads {
  /** Runs the completion callback of a stored file whose process died before it could. */
  'upload.complete': {
    fileId: string
    /** The one that sent the last byte. */
    request?: DescribedRequest
  }
  /** Computes the SHA-256 of a stored file whose bytes did not pass one process in order. */
  'upload.digest': { fileId: string }
  /** Ends uploads whose time is over, finishes what was left half done. */
  'uploads.sweep': Record<string, never>
  /** Deletes lines of the audit log and the request log that are older than they are kept. */
  'logs.expire': Record<string, never>
  /** Finds what stores have and the database does not know, and the other way round. */
  'stores.reconcile': Record<string, never>
  /** Copies a stored file to the store that its route names as its mirror. */
  'file.mirror': { fileId: string }
  /** Compares the counters of quotas with the files and mends them: of one project, or of all. */
  'usage.recount': { projectId?: string }
  /** Adds up what was stored and deleted, for those who ask later. */
  'usage.rollup': Record<string, never>
  /** Removes a project whose grace period is over, with all it has. */
  'project.delete': { projectId: string }
  /** Gives a project to another organization; null for none. */
  'project.transfer': { projectId: string; from: string | null; to: string | null }
}

/** `<noun>.<verb>`; also the name of the queue. */
export type JobName = keyof JobPayloads

/** How jobs of one kind are kept, tried and tried again. */
export interface JobPolicy {
  /** How often a failed job is tried again before it is given up. */
  readonly retryLimit: number
  /** Seconds before the first retry; doubles with each, up to `retryDelayMax`. */
  readonly retryDelay: number
  readonly retryDelayMax: number
  /** Seconds one attempt may take. */
  readonly expireIn: number
  /** Most jobs of this kind that one process runs at once. */
  readonly concurrency: number
  /** Seconds between two looks for new jobs while there are none. */
  readonly pollInterval: number
  /** When a job is made by itself, as a cron expression in UTC. */
  readonly cron?: string
  /** Whether at most one job of this kind waits or runs at any time, on all nodes. */
  readonly exclusive?: boolean
}

/** Every kind of job there is; handlers live with their noun and are bound in src/worker.ts. */
export const jobPolicies: Readonly<Record<JobName, JobPolicy>> = Object.freeze({
  'upload.complete': {
    // About a week of trying, once the delay has reached its maximum.
    retryLimit: 180,
    retryDelay: 5,
    retryDelayMax: 3600,
    expireIn: 15 * 60,
    concurrency: 20,
    pollInterval: 5,
  },
  'upload.digest': {
    retryLimit: 20,
    retryDelay: 5,
    retryDelayMax: 3600,
    expireIn: 6 * 3600,
    concurrency: 2,
    pollInterval: 2,
  },
  'uploads.sweep': {
    // The next one comes in a minute anyway.
    retryLimit: 0,
    retryDelay: 0,
    retryDelayMax: 0,
    expireIn: 15 * 60,
    concurrency: 1,
    pollInterval: 15,
    cron: '* * * * *',
    exclusive: true,
  },
  'logs.expire': {
    // The next one comes in an hour anyway.
    retryLimit: 0,
    retryDelay: 0,
    retryDelayMax: 0,
    expireIn: 15 * 60,
    concurrency: 1,
    pollInterval: 60,
    cron: '41 * * * *',
    exclusive: true,
  },
  'stores.reconcile': {
    // The next one comes tomorrow, and nothing is urgent.
    retryLimit: 0,
    retryDelay: 0,
    retryDelayMax: 0,
    expireIn: 6 * 3600,
    concurrency: 1,
    pollInterval: 60,
    cron: '23 3 * * *',
    exclusive: true,
  },
  'file.mirror': {
    // About a week of trying, once the delay has reached its maximum.
    retryLimit: 180,
    retryDelay: 5,
    retryDelayMax: 3600,
    expireIn: 6 * 3600,
    concurrency: 4,
    pollInterval: 2,
  },
  'usage.recount': {
    retryLimit: 3,
    retryDelay: 60,
    retryDelayMax: 3600,
    expireIn: 3600,
    concurrency: 1,
    pollInterval: 15,
    cron: '41 2 * * *',
  },
  'usage.rollup': {
    // The next one comes in a quarter of an hour, and who asks does it, too.
    retryLimit: 0,
    retryDelay: 0,
    retryDelayMax: 0,
    expireIn: 15 * 60,
    concurrency: 1,
    pollInterval: 30,
    cron: '*/15 * * * *',
    exclusive: true,
  },
  'project.delete': {
    // About a week of trying, once the delay has reached its maximum.
    retryLimit: 180,
    retryDelay: 5,
    retryDelayMax: 3600,
    expireIn: 6 * 3600,
    concurrency: 1,
    pollInterval: 5,
  },
  'project.transfer': {
    retryLimit: 20,
    retryDelay: 2,
    retryDelayMax: 600,
    expireIn: 60,
    concurrency: 1,
    pollInterval: 2,
  },
})

/** The names of all kinds of jobs. */
export const jobNames = Object.freeze(Object.keys(jobPolicies)) as readonly JobName[]

/**
 * The queue of jobs that failed for good: they wait there for a person. Not of those that come
 * again by the clock.
 */
export const deadQueue = 'dead'

/** @throws {CarcosaError} QUEUE_UNKNOWN, with the names that there are */
export function assertJobName(name: string): asserts name is JobName {
  if (Object.hasOwn(jobPolicies, name)) return
  throw new CarcosaError('QUEUE_UNKNOWN', {
    message: `There is no queue ${JSON.stringify(name.slice(0, 64))}.${didYouMean(name, jobNames)} Queues are ${jobNames.join(', ')}.`,
    details: { given: name, allowed: jobNames },
  })
}
