import { type CarcosaClientError, toClientError } from './errors.ts'
import type { Position, Run } from './job.ts'
import { forget } from './remember.ts'

/** How one series of tries ended, where that is not an error. */
export interface Attempt {
  ending: 'sent' | 'gone' | 'ticket refused' | 'direct refused'
  /** Why; there unless all was sent. */
  error?: CarcosaClientError
}

/** How often an unknown voice must say that an upload is gone before it is believed. */
const maxStrangers = 3

/**
 * Tells, failure by failure, whether a series of tries shows that the upload of `position` is
 * gone from the server.
 */
export function goneDetector(position: Position): (error: CarcosaClientError) => boolean {
  let strangers = 0
  return (error) => {
    if (!position.url) return false
    if (isStranger(error, position)) strangers++
    const isTold = error.code === 'UPLOAD_NOT_FOUND' || error.code === 'UPLOAD_GONE'
    return isTold || strangers === maxStrangers
  }
}

/**
 * Somebody says that this upload does not exist, and it need not be the server: proxies say
 * 404 while the server behind them is being restarted.
 */
export function isStranger(error: CarcosaClientError, position: Position): boolean {
  const missing = error.status === 404 || error.status === 410
  return position.url !== null && missing && error.code === 'HTTP_ERROR'
}

/** Forgets an upload that nobody will ever be able to go on with, and throws `thrown`. */
export async function forgetIfLost(run: Run, thrown: unknown): Promise<never> {
  const { status } = toClientError(thrown)
  const isLost = status === 403 || status === 404 || status === 410
  if (isLost && !isStranger(toClientError(thrown), run.position)) await forget(run)
  throw thrown
}
