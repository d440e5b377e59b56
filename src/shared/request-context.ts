import { AsyncLocalStorage } from 'node:async_hooks'
import type { LogFields, Logger } from './logger.ts'
import type { Trace } from './trace.ts'

/** What is known of the request somebody works for, wherever in the program that is. */
export interface RequestContext {
  /** Told to the client and written on every line of the log. */
  readonly requestId: string
  /** Null if the client sent no traceparent. */
  readonly trace: Trace | null
  /** Bytes of its body that were taken. */
  received: number
}

const current = new AsyncLocalStorage<RequestContext>()

/** Runs `work`, and all it starts, as a part of the request. */
export function inRequest<T>(context: RequestContext, work: () => T): T {
  return current.run(context, work)
}

/** The request this is a part of; undefined outside of any, e.g. in a job. */
export function currentRequest(): RequestContext | undefined {
  return current.getStore()
}

/** So many bytes of the body of this request were taken. */
export function countReceived(bytes: number): void {
  const context = current.getStore()
  if (context) context.received += bytes
}

/** A logger that adds `requestId`, `trace_id` and `span_id` to whatever is logged in a request. */
export function withRequestFields(log: Logger): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: LogFields, message: string): void => {
      if (isSilent(log, level)) return
      const context = current.getStore()
      log[level](context ? { ...requestFields(context), ...fields } : fields, message)
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    isLevelEnabled: (level) => !isSilent(log, level),
  }
}

function isSilent(log: Logger, level: string): boolean {
  return log.isLevelEnabled?.(level) === false
}

function requestFields({ requestId, trace }: RequestContext): LogFields {
  if (!trace) return { requestId }
  return { requestId, trace_id: trace.traceId, span_id: trace.spanId }
}
