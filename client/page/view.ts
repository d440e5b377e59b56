import { type CarcosaClientError, toClientError } from '../errors.ts'
import type { FileStatus } from '../file-upload.ts'
import type { RetryNotice } from '../retry.ts'
import type { FinishedUpload } from './finished.ts'
import { formatBytes, formatDuration, formatFraction, join } from './format.ts'
import type { RememberedUpload } from './remembered.ts'

/** What a person can do about one file. */
export type ActionName = 'pause' | 'resume' | 'retry' | 'continue' | 'choose' | 'cancel'

export interface Action {
  readonly name: ActionName | 'copy' | 'remove'
  readonly label: string
}

/** All there is to see of one file, in words. */
export interface View {
  /** Moving, waiting for somebody, finished, or in need of attention. */
  readonly look: 'moving' | 'resting' | 'done' | 'wrong'
  /** From 0 to 1; null where there is nothing to measure. */
  readonly fraction: number | null
  readonly detail: string
  /** A sentence about what is wrong or to be done; empty if nothing is. */
  readonly note: string
  /** Where the file is, once it is somewhere. */
  readonly link: string | null
  readonly sha256: string | null
  readonly actions: readonly Action[]
}

const nothing = { note: '', link: null, sha256: null } as const
const cancel = { name: 'cancel', label: 'Cancel' } as const
const remove = { name: 'cancel', label: 'Remove' } as const

/** A file that this tab uploads; `retryAt` is when the next try begins, in ms since 1970. */
export function viewOfActive(status: FileStatus, retryAt: number, now: number): View {
  const { state, progress } = status
  if (state === 'failed') return viewOfFailure(status)
  if (state === 'paused') {
    const detail = join('Paused', amount(progress.sent, status.size))
    const actions = [{ name: 'resume', label: 'Resume' } as const, cancel]
    return { ...nothing, look: 'resting', fraction: progress.fraction, detail, actions }
  }
  if (status.retry) return viewOfRetry(status, status.retry, retryAt - now)
  return {
    ...nothing,
    look: 'moving',
    fraction: progress.fraction,
    detail: detailOf(status),
    actions: [{ name: 'pause', label: 'Pause' }, cancel],
  }
}

export interface WaitingFacts {
  /** Bytes the server has; null until it answered. */
  readonly received: number | null
  /** Whether the browser still knows where the file is. */
  readonly hasHandle: boolean
  /** What went wrong with the last attempt to go on. */
  readonly note: string
}

/** An upload that was begun before this page was loaded. */
export function viewOfWaiting(upload: RememberedUpload, facts: WaitingFacts): View {
  const { received, hasHandle } = facts
  const parts = [
    received === null ? formatBytes(upload.size) : amount(received, upload.size),
    upload.expiresAt !== null && `kept until ${formatTime(upload.expiresAt)}`,
  ]
  const invitation = hasHandle ? '' : 'Choose the same file again to continue.'
  const goOn = hasHandle
    ? ({ name: 'continue', label: 'Continue' } as const)
    : ({ name: 'choose', label: 'Choose file' } as const)
  return {
    ...nothing,
    look: facts.note ? 'wrong' : 'resting',
    fraction: received === null ? null : fractionOf(received, upload.size),
    detail: join(...parts),
    note: facts.note || invitation,
    actions: [goOn, cancel],
  }
}

/** A file that has arrived. */
export function viewOfFinished({ size, type, url, sha256 }: FinishedUpload): View {
  return {
    look: 'done',
    fraction: null,
    detail: join(formatBytes(size), type),
    note: '',
    link: url,
    sha256,
    actions: [
      { name: 'copy', label: 'Copy link' },
      { name: 'remove', label: 'Remove from this list' },
    ],
  }
}

/** A sentence for a person: the server's where it sent one. */
export function sentenceOf(thrown: unknown): string {
  const error = toClientError(thrown)
  if (error.code === 'NETWORK') return 'The server does not answer.'
  if (error.code === 'STALLED') return 'The connection is open, but nothing moves.'
  return error.message
}

function detailOf({ state, activity, size, progress }: FileStatus): string {
  if (state === 'pending') return join(formatBytes(size), 'waiting for its turn')
  if (activity === 'preparing') return join(formatBytes(size), 'preparing')
  if (activity === 'finishing') return join(formatBytes(size), 'finishing')
  const { sent, rate, eta } = progress
  const parts = [
    amount(sent, size),
    rate !== null && `${formatBytes(rate)}/s`,
    eta !== null && `${formatDuration(eta)}\u00a0left`,
  ]
  return join(...parts)
}

function viewOfRetry(status: FileStatus, retry: RetryNotice, left: number): View {
  const { progress, size } = status
  const when =
    left > 500 ? `Trying again in ${formatDuration(left / 1000)}` : 'Trying again'
  return {
    ...nothing,
    look: 'resting',
    fraction: progress.fraction,
    detail: join(retry.offline ? 'Offline' : when, amount(progress.sent, size)),
    note: retry.offline
      ? 'You are offline. It goes on by itself when the connection is back.'
      : sentenceOf(retry.error),
    actions: [{ name: 'retry', label: 'Try now' }, cancel],
  }
}

function viewOfFailure({ error, size, progress }: FileStatus): View {
  const mayRetry = error !== null && !isRefusal(error)
  const retry = { name: 'retry', label: 'Try again' } as const
  return {
    ...nothing,
    look: 'wrong',
    fraction: progress.sent > 0 && mayRetry ? progress.fraction : null,
    detail: mayRetry ? join('Stopped', amount(progress.sent, size)) : formatBytes(size),
    note: error ? sentenceOf(error) : '',
    actions: mayRetry ? [retry, cancel] : [remove],
  }
}

/** Whether the same file would be refused again. */
function isRefusal({ code, status }: CarcosaClientError): boolean {
  if (code === 'FILE_UNREADABLE') return true
  return status !== null && [400, 413, 415, 422].includes(status)
}

function amount(bytes: number, size: number): string {
  const share = formatFraction(fractionOf(bytes, size))
  return join(`${formatBytes(bytes)} of ${formatBytes(size)}`, share)
}

function fractionOf(bytes: number, size: number): number {
  return size > 0 ? Math.min(1, bytes / size) : 1
}

function formatTime(time: number): string {
  const options = {
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  } as const
  return new Date(time).toLocaleString('en', options)
}
