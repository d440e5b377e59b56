import type { CarcosaError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import type { LogFields, Logger } from '../shared/logger.ts'
import { problemReply, type Reply } from '../shared/reply.ts'
import { currentRequest } from '../shared/request-context.ts'
import type { Incoming } from './incoming.ts'

/**
 * The one conversion of an error into an answer. What is our fault leaves a line in the log
 * under the request id the client is told: a client never sees the cause.
 */
export function refuse(
  log: Logger,
  { method, path }: Pick<Incoming, 'method' | 'path'>,
  error: CarcosaError,
): Reply {
  if (error.status >= 500) {
    const err = error.cause ?? error
    report(log, error, { err, code: error.code, method, path })
  }
  const reply = problemReply(error, {}, currentRequest()?.requestId ?? newId())
  return method === 'HEAD' ? { ...reply, body: null } : reply
}

/** A server that stops says so to many; a full disk passes; anything else is for a person. */
function report(log: Logger, { code, status }: CarcosaError, fields: LogFields): void {
  const message = 'request failed'
  if (code === 'SHUTTING_DOWN') log.debug(fields, message)
  else if (status === 500) log.error(fields, message)
  else log.warn(fields, message)
}
