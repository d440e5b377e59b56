import type { JobName, JobPayloads } from './definitions.ts'

/** Does one job. It may run twice: a repeated run must do no harm. Throwing means "again". */
export type JobHandler<Name extends JobName> = (
  data: JobPayloads[Name],
  context: JobContext,
) => Promise<void>

export interface JobContext {
  readonly id: string
  /** 1 for the first run. */
  readonly attempt: number
  /** Aborted when the job took too long, was lost to another process, or the queue stops. */
  readonly signal: AbortSignal
}

/** A handler for every kind of job. */
export type JobHandlers = { readonly [Name in JobName]: JobHandler<Name> }
