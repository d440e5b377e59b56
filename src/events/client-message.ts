import { CarcosaError } from '../shared/errors.ts'
import { namedTopic, type Topic, toCursor } from './topic.ts'

/** What a client may say over WebSocket. */
export type ClientMessage =
  | { type: 'ping' }
  | { type: 'unsubscribe'; topic: Topic }
  | {
      type: 'subscribe'
      topic: Topic
      /** `lastEventId`; null for what happens from now on. */
      after: number | null
      /** The Upload-Ticket of an upload or batch. */
      ticket: string | undefined
    }

/**
 * The text of one message; null for a binary one.
 * @throws {CarcosaError} MESSAGE_INVALID, BAD_REQUEST, CURSOR_INVALID
 */
export function parseClientMessage(text: string | null): ClientMessage {
  const given = text === null ? null : parse(text)
  const { type, topic, lastEventId = null, ticket } = given ?? {}
  if (type === 'ping') return { type }
  if (type === 'unsubscribe') return { type, topic: namedTopic(topic) }
  if (type !== 'subscribe') throw invalid()
  if (ticket !== undefined && typeof ticket !== 'string') throw invalid()
  const after = lastEventId === null ? null : toCursor(lastEventId)
  return { type, topic: namedTopic(topic), after, ticket }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null)
      return value as Record<string, unknown>
  } catch {
    // Said below: what is no JSON and what is no message get the same answer.
  }
  throw invalid()
}

function invalid(): CarcosaError {
  return new CarcosaError('MESSAGE_INVALID', {
    message:
      'A message is JSON text: {"type":"subscribe","topic":{"file":"<id>"},"lastEventId":"0"}, {"type":"unsubscribe","topic":{…}} or {"type":"ping"}.',
  })
}
