import { S3Error } from './error.ts'
import type { Operation, S3Request } from './operation.ts'
import type { Headers } from './state.ts'

/** What can be wrong with the service. A test changes the members whenever it likes. */
export interface S3Faults {
  /** As R2: Complete refuses parts of unequal size, but for a smaller last one. Default false. */
  equalParts: boolean
  /** As R2: a request with tags is 501. Default false. */
  noTagging: boolean
  /** As AWS: abort after complete is 404. With false it is 204, as of MinIO. Default true. */
  noSuchUploadOnAbort: boolean
  /** The highest part number. Default 10,000. */
  maxParts: number
  /** What each part but the last must have, judged by Complete. Default 5 MiB. */
  minPartSize: number
  /** The status a part fails with after its body was read, or null. `attempt` counts from 1. */
  failPart: (partNumber: number, attempt: number) => number | null
  /** How long a request waits before its body is read. Default not at all. */
  delayMs: (operation: Operation, partNumber: number | null) => number
  /** So many calls of Complete are 500 and do nothing. Counts down. Default 0. */
  failComplete: number
  /** So many calls of Complete make the object and are 500. Counts down. Default 0. */
  completeErrorsButExists: number
  /** Whether a request is 503 SlowDown. */
  slowDown: (operation: Operation) => boolean
  /** Whether the connection breaks off after half of the body. Nothing is stored. */
  resetMidBody: (operation: Operation, partNumber: number | null) => boolean
  /** Whether the connection breaks off when all is done, instead of an answer. */
  resetAfter: (operation: Operation) => boolean
  /** Every request is 400 ExpiredToken. Default false. */
  expiredToken: boolean
  /** Every request is 403 AccessDenied. Default false. */
  accessDenied: boolean
  /** Every request is 404 NoSuchBucket. Default false. */
  bucketMissing: boolean
  /** Every request is 403 RequestTimeTooSkewed. Default false. */
  clockSkew: boolean
  /** Sees every request before anything is done about it; the request waits for it. */
  before: (request: S3Request) => void | Promise<void>
}

/** A service without faults, as AWS. */
export function noFaults(): S3Faults {
  return {
    equalParts: false,
    noTagging: false,
    noSuchUploadOnAbort: true,
    maxParts: 10_000,
    minPartSize: 5 * 1024 * 1024,
    failPart: () => null,
    delayMs: () => 0,
    failComplete: 0,
    completeErrorsButExists: 0,
    slowDown: () => false,
    resetMidBody: () => false,
    resetAfter: () => false,
    expiredToken: false,
    accessDenied: false,
    bucketMissing: false,
    clockSkew: false,
    before() {},
  }
}

/** @throws S3Error if the faults leave a request no chance. */
export function refuse(faults: S3Faults, operation: Operation, headers: Headers): void {
  if (faults.slowDown(operation)) {
    throw new S3Error('SlowDown', 'Please reduce your request rate.')
  }
  if (faults.clockSkew) {
    throw new S3Error('RequestTimeTooSkewed', 'The time of the request is too far off.')
  }
  if (faults.expiredToken) {
    throw new S3Error('ExpiredToken', 'The provided token has expired.')
  }
  if (faults.accessDenied) throw new S3Error('AccessDenied', 'Access Denied')
  if (faults.bucketMissing) {
    throw new S3Error('NoSuchBucket', 'The specified bucket does not exist')
  }
  if (faults.noTagging && headers['x-amz-tagging'] !== undefined) {
    throw new S3Error('NotImplemented', 'Header x-amz-tagging is not implemented.')
  }
}
