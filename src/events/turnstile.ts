import { CarcosaError } from '../shared/errors.ts'
import { createTally } from '../shared/tally.ts'

/** How many subscribers there may be. */
export interface SubscriberLimits {
  /** In this process. */
  readonly total: number
  /** Of one client: a principal, or an address. */
  readonly perClient: number
}

/** Counts connections that stay. */
export interface Turnstile {
  readonly count: number
  /**
   * Lets a client in. What is returned lets it out again, once.
   * @throws {CarcosaError} SUBSCRIBERS_FULL, TOO_MANY_SUBSCRIPTIONS
   */
  enter(client: string): () => void
}

export function createTurnstile({ total, perClient }: SubscriberLimits): Turnstile {
  const clients = createTally()
  let count = 0
  return {
    get count() {
      return count
    },
    enter(client) {
      if (count >= total) throw full(total)
      if (clients.count(client) >= perClient) throw tooMany(perClient)
      count++
      clients.add(client)
      let inside = true
      return () => {
        if (!inside) return
        inside = false
        count--
        clients.remove(client)
      }
    },
  }
}

function full(limit: number): CarcosaError {
  return new CarcosaError('SUBSCRIBERS_FULL', {
    message: `This server has ${limit} subscribers and takes no more. Try again, perhaps another one answers.`,
    headers: { 'Retry-After': '10' },
  })
}

function tooMany(limit: number): CarcosaError {
  return new CarcosaError('TOO_MANY_SUBSCRIPTIONS', {
    message: `A client may have ${limit} connections that watch. Close one, or watch several topics with one.`,
    details: { limit },
    headers: { 'Retry-After': '30' },
  })
}
