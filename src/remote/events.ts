import type { WatchedEvent } from '../events/program.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { RemoteEvents, RemoteTopic } from './api.ts'
import { errorOf, unreachable } from './failure.ts'
import type { RemoteSettings } from './settings.ts'
import { readFrames } from './sse.ts'
import { isPassing, type Transport } from './transport.ts'

/** Most that one page of the REST API has. */
const mostOfPage = 500
const mostListed = 1_000

export function createEvents(transport: Transport): RemoteEvents {
  return {
    async list({ after = 0, limit = 100, topic } = {}) {
      if (!(Number.isInteger(limit) && limit >= 1 && limit <= mostListed)) {
        throw new CarcosaError('BAD_REQUEST', {
          message: `limit must be a whole number from 1 to ${mostListed}, not ${String(limit)}.`,
        })
      }
      const events: WatchedEvent[] = []
      for (let cursor: unknown = after; cursor !== null && events.length < limit; ) {
        const wanted = Math.min(mostOfPage, limit - events.length)
        const query = { ...topic, cursor, limit: wanted }
        const { json } = await transport.ask({ method: 'GET', path: '/events', query })
        // The server answers what its document says.
        events.push(...(json.events as WatchedEvent[]))
        cursor = json.nextCursor
      }
      return events
    },
    subscribe(topic, { after, signal } = {}) {
      const { settings } = transport
      const signals = [signal, settings.signal].filter((one) => one != null)
      const end = AbortSignal.any(signals)
      return follow(transport, { topic, last: after ?? null, end })
    },
  }
}

interface Following {
  readonly topic: RemoteTopic
  /** Behind which to go on; null for what happens from now on. */
  last: number | null
  readonly end: AbortSignal
}

/** Goes on behind the last event whenever the connection ends, until `end`. */
async function* follow(
  transport: Transport,
  following: Following,
): AsyncGenerator<WatchedEvent, void, undefined> {
  const { end } = following
  const within = { ...transport.settings, signal: end }
  let told = 0
  let before = 0
  const progressed = () => {
    const isFurther = told > before
    before = told
    return isFurther
  }
  const isRepeatable = ({ code, status }: CarcosaError) =>
    status === 429 || isPassing(code, status)
  const connect = () =>
    transport.persist(() => open(within, following), { isRepeatable, progressed })
  try {
    while (!end.aborted) {
      for await (const event of await connect()) {
        told++
        if (event.type === 'stream.dropped') break
        following.last = event.id ?? following.last
        yield event
        if (end.aborted) return
      }
    }
  } catch (error) {
    if (!end.aborted) throw error
  }
}

async function open(
  settings: RemoteSettings,
  { topic, last, end }: Following,
): Promise<AsyncIterable<WatchedEvent>> {
  const query = new URLSearchParams(Object.entries(topic))
  const silent = new AbortController()
  const response = await settings
    .fetch(`${settings.url}/events?${query}`, {
      headers: {
        ...(await settings.headers()),
        Accept: 'text/event-stream',
        ...(last !== null && { 'Last-Event-ID': String(last) }),
      },
      redirect: 'manual',
      signal: AbortSignal.any([end, silent.signal]),
    })
    .catch((error: unknown) => {
      end.throwIfAborted()
      throw unreachable(error)
    })
  if (!response.ok || !response.body) throw await errorOf(response)
  return readFrames(response.body, silent)
}
