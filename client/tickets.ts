import type { Api, Prepared } from './api.ts'
import { CarcosaClientError } from './errors.ts'
import type { HeadersSource } from './headers.ts'
import { errorFromProblem } from './problem.ts'
import { persist, type RetryNotice, type RetryPolicy } from './retry.ts'
import type { FileDescription } from './source.ts'

/** Hands out the tickets of one batch. */
export interface Tickets {
  /**
   * What allows the file at `index`.
   * @throws {CarcosaClientError} why this file, or the whole batch, is refused
   */
  take(index: number, taker: Taker): Promise<Grant>
  /** Says that `ticket` is no longer good, so that the next `take` asks for new ones. */
  discard(ticket: string): void
}

export interface Grant {
  readonly ticket: string
  /** Where the file may go past the server, as the server said it; see `readOffer`. */
  readonly offer: unknown
}

export interface Taker {
  readonly signal: AbortSignal
  onRetry(notice: RetryNotice): void
}

export interface TicketOptions {
  readonly api: Api
  readonly route: string
  readonly files: readonly FileDescription[]
  readonly input: unknown
  /** Whether the bytes may go to the store, past the server. */
  readonly direct: boolean
  readonly headers: HeadersSource | undefined
  readonly policy: RetryPolicy
  isRetryable(error: CarcosaClientError): boolean
}

interface Preparation {
  readonly result: Promise<Prepared>
  readonly takers: Set<Taker>
  readonly controller: AbortController
}

/**
 * Asks `prepare` once, when the first file needs its ticket, and for the whole batch: limits
 * such as `minFileCount` hold for the batch, so it is also asked anew as a whole.
 */
export function createTickets(options: TicketOptions): Tickets {
  let current: Preparation | null = null
  const discarded = new Set<string>()

  function start(): Preparation {
    const { api, route, files, input, direct, headers, policy, isRetryable } = options
    const batch = { files, input, ...(direct && { direct }) }
    const controller = new AbortController()
    const { signal } = controller
    const takers = new Set<Taker>()
    const onRetry = (notice: RetryNotice) => {
      for (const taker of takers) taker.onRetry(notice)
    }
    const result = persist(() => api.prepare(route, batch, { signal, headers }), {
      policy,
      signal,
      isRetryable,
      onRetry,
    })
    const preparation = { result, takers, controller }
    current = preparation
    // A failure is told to those who waited; whoever comes later asks again.
    result.catch(() => {
      if (current === preparation) current = null
    })
    return preparation
  }

  async function take(index: number, taker: Taker): Promise<Grant> {
    taker.signal.throwIfAborted()
    // One that its last taker just left is about to reject and is no use to a new one.
    const preparation = current?.controller.signal.aborted === false ? current : start()
    const prepared = await wanted(preparation, taker)
    const grant = grantOf(prepared, index)
    if (!discarded.has(grant.ticket)) return grant
    if (current === preparation) current = null
    return take(index, taker)
  }

  return { take, discard: (ticket) => void discarded.add(ticket) }
}

/** The result for one taker, who may leave; the last one to leave stops the asking. */
function wanted(preparation: Preparation, taker: Taker): Promise<Prepared> {
  const { takers, controller, result } = preparation
  takers.add(taker)
  return new Promise<Prepared>((resolve, reject) => {
    const leave = () => {
      takers.delete(taker)
      if (takers.size === 0) controller.abort(taker.signal.reason)
      reject(taker.signal.reason)
    }
    taker.signal.addEventListener('abort', leave, { once: true })
    result.then(resolve, reject).finally(() => {
      takers.delete(taker)
      taker.signal.removeEventListener('abort', leave)
    })
  })
}

function grantOf(prepared: Prepared, index: number): Grant {
  const file = prepared.files[index]
  if (typeof file?.ticket === 'string') return { ticket: file.ticket, offer: file.direct }
  const problem = file?.error ?? prepared.errors?.[0]
  if (problem !== undefined) throw errorFromProblem(problem)
  throw new CarcosaClientError('RESPONSE_INVALID', {
    message: 'The server gave this file neither a ticket nor a reason.',
  })
}
