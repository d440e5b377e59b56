import {
  countJobs,
  type JobCounts,
  type JobFilter,
  type JobRecord,
  listJobs,
} from '../jobs/records.ts'
import type { RetrySelection } from '../jobs/retry.ts'
import type { ApiDeps } from './deps.ts'

/** The jobs of a Carcosa, on whichever process they run. */
export interface JobsApi {
  /** Jobs that are not done, newest first. @throws {CarcosaError} QUEUE_UNKNOWN, BAD_REQUEST */
  list(filter?: JobFilter): Promise<JobRecord[]>
  /**
   * Gives dead jobs all of their tries again, and lets failed ones that wait for their next try
   * run now: those with these ids, or all (of one queue). Safe to repeat. Returns how many.
   * @throws {CarcosaError} QUEUE_UNKNOWN, BAD_REQUEST
   */
  retry(selection: RetrySelection): Promise<number>
  /** How many jobs of each queue are not done, by state. */
  counts(): Promise<JobCounts>
}

export function createJobsApi({ uploads, run }: ApiDeps): JobsApi {
  const { db, jobs } = uploads
  return {
    list: (filter) => run(async () => listJobs(db, filter)),
    retry: (selection) => run(() => jobs.retry(selection)),
    counts: () => run(() => countJobs(db)),
  }
}
