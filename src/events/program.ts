import { CarcosaError } from '../shared/errors.ts'
import { isProjectId } from '../shared/ids.ts'
import type { Feed } from './feed.ts'
import { type Message, storedMessage } from './message.ts'
import type { Outbox } from './outbox.ts'
import { type NamedTopic, namedTopic, type Topic, toCursor } from './topic.ts'

/** Something that happened, as programs and clients are told. */
export interface WatchedEvent {
  /**
   * Its number among the events of its project, in the order of commits: where to go on after
   * it. Null for what is told live and never stored (`upload.progress`), or about the stream
   * (`stream.gap`: events in between are too old to be there).
   */
  readonly id: number | null
  /** `file.stored`, `upload.progress`, … */
  readonly type: string
  /** For an event of a file its `id`, `route` and what changed, and `at`, when it happened. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface ListEvents {
  /** From behind this one on. Default 0: from the first there is. */
  after?: number
  /** At most so many, 1 to 1,000. Default 100. */
  limit?: number
  /** `{ file: id }`, `{ batch: id }` or `{ route: name }`. Default all. */
  topic?: NamedTopic
  /** Default the default project. */
  projectId?: string
}

export interface SubscribeEvents {
  /** From behind this one on, 0 for all there is. Default: what happens from now on. */
  after?: number
  /** Default the default project. */
  projectId?: string
  signal?: AbortSignal
}

/** The events of this Carcosa, for the program it runs in. */
export interface EventsApi {
  /** Stored events in order. @throws {CarcosaError} BAD_REQUEST, CURSOR_INVALID */
  list(options?: ListEvents): Promise<WatchedEvent[]>
  /**
   * Stored events from `after` on, then what happens, in this or any other process, together with
   * live progress. Ends with the signal, or when this Carcosa closes.
   *
   * A loop that takes longer than things take to happen is told less of progress, and breaks off
   * with SUBSCRIBER_TOO_SLOW once ten thousand events wait.
   * @throws {CarcosaError} BAD_REQUEST, CURSOR_INVALID, SUBSCRIBER_TOO_SLOW
   */
  subscribe(topic: NamedTopic, options?: SubscribeEvents): AsyncIterable<WatchedEvent>
}

interface Deps {
  outbox: Outbox
  feed: Feed
  defaultProject: string
  /** Aborted when this Carcosa closes. */
  closing: AbortSignal
}

/** Messages that may wait for the loop; progress is left out far earlier. */
const maxWaiting = 10_000
const maxWaitingForProgress = 100

export function createEventsApi({
  outbox,
  feed,
  defaultProject,
  closing,
}: Deps): EventsApi {
  return {
    async list({ after = 0, limit = 100, topic, projectId = defaultProject } = {}) {
      assertLimit(limit)
      const topics = topic ? [namedTopic(topic)] : null
      const wanted = { ...within(projectId, topics), after: toCursor(after), limit }
      await outbox.number()
      return (await outbox.read(wanted)).map((event) => toEvent(storedMessage(event)))
    },
    subscribe(topic, { after, signal, projectId = defaultProject } = {}) {
      const wanted = within(projectId, [namedTopic(topic)])
      const cursor = after === undefined ? null : toCursor(after)
      const end = signal ? AbortSignal.any([closing, signal]) : closing
      return follow(feed, { ...wanted, after: cursor, end })
    },
  }
}

/** The topic `{ project: id }` names the project itself. */
function within<Topics extends readonly Topic[] | null>(
  projectId: string,
  topics: Topics,
) {
  const [{ kind, id } = { kind: null, id: '' }] = topics ?? []
  const named = kind === 'project' ? id : projectId
  if (isProjectId(named)) return { projectId: named, topics }
  throw new CarcosaError('PROJECT_NOT_FOUND')
}

interface Loop {
  projectId: string
  topics: readonly Topic[]
  after: number | null
  end: AbortSignal
}

async function* follow(
  feed: Feed,
  { end, ...wish }: Loop,
): AsyncGenerator<WatchedEvent, void, undefined> {
  const waiting: Message[] = []
  let wake = () => {}
  const awake = () => wake()
  const tell = (message: Message) => {
    if (message.number === null && waiting.length >= maxWaitingForProgress) return
    waiting.push(message)
    wake()
  }
  // Only what is replayed can wait for the loop.
  const room = () =>
    waiting.length < maxWaitingForProgress
      ? null
      : new Promise<void>((resolve) => drained.push(resolve))
  let drained: (() => void)[] = []
  if (end.aborted) return
  try {
    await feed.open(wish.projectId)
  } catch (error) {
    if (end.aborted) return
    throw error
  }
  const following = feed.follow({ ...wish, receiver: { tell, room } })
  end.addEventListener('abort', awake)
  try {
    while (!end.aborted) {
      if (waiting.length > maxWaiting) throw tooSlow()
      const message = waiting.shift()
      if (message) {
        yield toEvent(message)
        continue
      }
      for (const resolve of drained.splice(0)) resolve()
      await new Promise<void>((resolve) => {
        wake = resolve
        if (waiting.length > 0 || end.aborted) resolve()
      })
    }
  } finally {
    end.removeEventListener('abort', awake)
    following.stop()
    drained = []
  }
}

function toEvent({ number, type, data }: Message): WatchedEvent {
  return { id: number, type, data: JSON.parse(data) }
}

function assertLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1_000) return
  throw new CarcosaError('BAD_REQUEST', {
    message: `limit must be a whole number from 1 to 1000, not ${String(limit)}.`,
  })
}

function tooSlow(): CarcosaError {
  return new CarcosaError('SUBSCRIBER_TOO_SLOW', {
    message: `More than ${maxWaiting} events wait for this loop. Do less in it, and go on behind the last id it had.`,
  })
}
