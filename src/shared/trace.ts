/**
 * Where a request stands in a trace that spans several services (W3C Trace Context,
 * https://www.w3.org/TR/trace-context/).
 */
export interface Trace {
  /** 32 hexadecimal digits, the same in every service. */
  readonly traceId: string
  /** 16 hexadecimal digits: what we do for this request. Its parent is the caller's span. */
  readonly spanId: string
  /** Two hexadecimal digits; the last bit says that the caller records the trace. */
  readonly flags: string
  /** What tracing systems add, passed on as it came; empty if there is none. */
  readonly state: string
}

/**
 * Reads the headers `traceparent` and `tracestate`; null where there is no valid traceparent,
 * which is then to be ignored (§3.2.2.3 of the standard). `spanId` becomes that of our own span.
 */
export function readTrace(
  traceparent: string | null,
  tracestate: string | null,
  spanId: () => string,
): Trace | null {
  const [, version = '', traceId = '', parentId = '', flags = '', more = ''] =
    format.exec(traceparent?.trim() ?? '') ?? []
  if (version === '' || version === 'ff' || (version === '00' && more !== '')) return null
  if (isZero(traceId) || isZero(parentId)) return null
  const state = tracestate ?? ''
  return { traceId, spanId: spanId(), flags, state: isState(state) ? state : '' }
}

/** The header that tells the next service of our span. */
export function traceparentOf({ traceId, spanId, flags }: Trace): string {
  return `00-${traceId}-${spanId}-${flags}`
}

const format = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/

function isZero(digits: string): boolean {
  return /^0+$/.test(digits)
}

/** At most 512 characters have to be passed on, and all of them are printable ASCII. */
function isState(text: string): boolean {
  return /^[\x20-\x7e]{0,512}$/.test(text)
}
