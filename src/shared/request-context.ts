import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { type LogFields, type Logger, silentLogger } from './logger.ts'
import { readTrace, type Trace, traceparentOf } from './trace.ts'

/** What is known of the request somebody works for, wherever in the program that is. */
export interface RequestContext {
  /** Told to the client and written on every line of the log. */
  readonly requestId: string
  /** Null if the client sent no traceparent. */
  readonly trace: Trace | null
  /** Bytes of its body that were taken. */
  received: number
  /** Where it comes from, as far as that is known. */
  readonly address?: string | null
  /** Who asks, once that was found out. */
  caller?: Caller | null
  /** Its path with names in place of ids, such as `/files/{id}`. */
  pattern?: string
  /**
   * It is one of the management API: what is done in it, its caller does. In other requests hooks
   * of the program act, for themselves.
   */
  manages?: boolean
  /** The audit log was told what was done, or tried, in it. */
  isAudited?: boolean
}

/** Who does something, as logs tell it: a principal, `cli` or `program`. */
export interface Caller {
  readonly kind: string
  readonly id: string | null
  readonly organizationId?: string | null
  readonly projectId?: string | null
}

const current = new AsyncLocalStorage<RequestContext>()
const acting = new AsyncLocalStorage<Caller>()

/** Runs `work` as something that `caller` does, e.g. the person at a command line. */
export function actingAs<T>(caller: Caller, work: () => T): T {
  return acting.run(caller, work)
}

/** Who is at work here: who asked the management API, who was named, or else the program. */
export function currentActor(): Caller {
  const context = current.getStore()
  if (context?.manages) return context.caller ?? nobody
  return acting.getStore() ?? program
}

const nobody: Caller = { kind: 'anonymous', id: null }
const program: Caller = { kind: 'program', id: null }

/** Runs `work`, and all it starts, as a part of the request. */
export function inRequest<T>(context: RequestContext, work: () => T): T {
  return current.run(context, work)
}

/** What another process must know to go on with a request. */
export interface DescribedRequest {
  requestId: string
  traceparent?: string
  tracestate?: string
}

/** The request this is a part of, for another process; null outside of any. */
export function describeRequest(): DescribedRequest | null {
  const context = current.getStore()
  if (!context) return null
  const { requestId, trace } = context
  if (!trace) return { requestId }
  const { state } = trace
  const traceparent = traceparentOf(trace)
  return { requestId, traceparent, ...(state && { tracestate: state }) }
}

/** Runs `work` as a part of a request that another process described, with a span of its own. */
export function inRequestOf<T>(
  described: DescribedRequest | undefined,
  work: () => T,
): T {
  if (!described) return work()
  const { requestId, traceparent = null, tracestate = null } = described
  const trace = readTrace(traceparent, tracestate, newSpanId)
  return inRequest({ requestId, trace, received: 0 }, work)
}

/** The id of what this process does for a request. */
export function newSpanId(): string {
  // All zeros would mean that there is none.
  return randomBytes(8)
    .toString('hex')
    .replace(/^0{16}$/, '0000000000000001')
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
  // Nothing need be put together for nobody.
  if (log === silentLogger) return { ...log, isLevelEnabled: () => false }
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
