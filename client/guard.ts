import { CarcosaClientError } from './errors.ts'

/** The request of a tus-js-client HttpStack, written down here to keep its types out. */
interface StackRequest<Answer> {
  getMethod(): string
  getURL(): string
  setHeader(name: string, value: string): void
  getHeader(name: string): string | undefined
  setProgressHandler(handler: (bytesSent: number) => void): void
  send(body: unknown): Promise<Answer>
  abort(): Promise<void>
  getUnderlyingObject(): unknown
}

export interface Stack<Answer> {
  createRequest(method: string, url: string): StackRequest<Answer>
  getName(): string
}

export interface GuardOptions {
  /** Ends the request that is running and refuses those to come. */
  readonly signal: AbortSignal
  /** Milliseconds without a byte moving before the request counts as dead. */
  readonly stallTimeout: number
}

/**
 * How many times longer than a stall the server may think about a body it has wholly
 * received: completing a large object in a cloud store takes its time, and to cut a good
 * upload at 100 % is the one thing worse than to wait.
 */
const patience = 10

/**
 * Wraps an HttpStack of tus-js-client 4.3.1 so that each request ends, one way or the other.
 *
 * On its own that stack waits for ever when the server dies in the middle of a response or
 * the connection goes dead, sends a request that was aborted while its headers were being
 * fetched, crashes the process when the file cannot be read, and leaks the file handle of
 * an aborted request.
 */
export function guardStack<Answer>(
  stack: Stack<Answer>,
  options: GuardOptions,
): Stack<Answer> {
  return {
    createRequest: (method, url) =>
      guardRequest(stack.createRequest(method, url), options),
    getName: () => stack.getName(),
  }
}

function guardRequest<A>(
  request: StackRequest<A>,
  options: GuardOptions,
): StackRequest<A> {
  let touch = (_bytes: number) => {}
  return {
    getMethod: () => request.getMethod(),
    getURL: () => request.getURL(),
    setHeader: (name, value) => request.setHeader(name, value),
    getHeader: (name) => request.getHeader(name),
    getUnderlyingObject: () => request.getUnderlyingObject(),
    abort: () => request.abort(),
    setProgressHandler(handler) {
      request.setProgressHandler((bytes) => {
        touch(bytes)
        handler(bytes)
      })
    },
    send: (body) =>
      new Promise((resolve, reject) => {
        if (options.signal.aborted) return reject(options.signal.reason)
        const watch = watchForStall(body, options.stallTimeout, () =>
          fail(stalled(request)),
        )
        touch = watch.touch
        const abort = () => fail(options.signal.reason)
        const release = () => {
          watch.stop()
          options.signal.removeEventListener('abort', abort)
          releaseBody(body)
        }
        const fail = (reason: unknown) => {
          release()
          void request.abort()
          reject(reason)
        }
        options.signal.addEventListener('abort', abort, { once: true })
        onBodyEvent(body, 'error', (cause) => fail(unreadable(cause)))
        request.send(body).then((answer) => {
          // An answer may come before the body went out; the rest of it is not wanted.
          if (!watch.isAllSent()) void request.abort()
          release()
          resolve(answer)
        }, fail)
        onTruncatedAnswer(request.getUnderlyingObject(), () => fail(truncated(request)))
      }),
  }
}

function watchForStall(body: unknown, stallTimeout: number, onStall: () => void) {
  const size = bodySize(body)
  let allSent = size === 0
  let last = Date.now()
  const check = () => {
    if (Date.now() - last > stallTimeout * (allSent && size > 0 ? patience : 1)) onStall()
  }
  const timer = setInterval(check, Math.max(10, stallTimeout / 4))
  // Progress handlers are throttled and need not tell the end, so a Node stream is asked too.
  onBodyEvent(body, 'end', () => {
    allSent = true
    last = Date.now()
  })
  return {
    touch(bytes: number) {
      last = Date.now()
      if (bytes >= size) allSent = true
    },
    isAllSent: () => allSent,
    stop: () => clearInterval(timer),
  }
}

function bodySize(body: unknown): number {
  const size = (body as { size?: unknown } | null)?.size
  return typeof size === 'number' ? size : 0
}

/** What of a Node stream is used; a Blob, the body in browsers, has none of it. */
interface NodeEmitter {
  on?(event: string, listener: (value: unknown) => void): void
  once?(event: string, listener: (value: unknown) => void): void
  destroy?(): void
}

function onBodyEvent(body: unknown, event: string, listener: (value: unknown) => void) {
  ;(body as NodeEmitter | null)?.on?.(event, listener)
}

function releaseBody(body: unknown) {
  ;(body as NodeEmitter | null)?.destroy?.()
}

/** tus-js-client listens for the `end` of a Node response only, which then never comes. */
function onTruncatedAnswer(request: unknown, onTruncated: () => void) {
  ;(request as NodeEmitter | null)?.once?.('response', (answer) => {
    const response = answer as NodeEmitter & { complete?: boolean }
    response.once?.('close', () => {
      if (!response.complete) onTruncated()
    })
  })
}

function stalled(request: StackRequest<unknown>): CarcosaClientError {
  return new CarcosaClientError('STALLED', {
    message: `The connection is open but nothing moves: ${requestName(request)}.`,
    retryable: true,
  })
}

function truncated(request: StackRequest<unknown>): CarcosaClientError {
  return new CarcosaClientError('NETWORK', {
    message: `The connection broke in the middle of the answer to ${requestName(request)}.`,
    retryable: true,
  })
}

/** What to throw when the bytes of the file cannot be had any more. */
export function unreadable(cause: unknown): CarcosaClientError {
  if (cause instanceof CarcosaClientError) return cause
  return new CarcosaClientError('FILE_UNREADABLE', {
    message: 'The file cannot be read: it was changed, moved or removed meanwhile.',
    cause,
  })
}

/** What to throw when a request got no answer because of `cause`. */
export function unanswered(request: NamedRequest, cause: unknown): CarcosaClientError {
  if (cause instanceof CarcosaClientError) return cause
  return new CarcosaClientError('NETWORK', {
    message: `No answer to ${requestName(request)}${reason(cause)}.`,
    retryable: true,
    cause,
  })
}

/** ": ECONNREFUSED" from Node; browsers keep the reason to themselves. */
function reason(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code
  return typeof code === 'string' ? `: ${code}` : ''
}

type NamedRequest = Pick<StackRequest<unknown>, 'getMethod' | 'getURL'>

/** Without the query, where a URL keeps its signature. */
export function requestName(request: NamedRequest): string {
  return `${request.getMethod()} ${request.getURL().replace(/\?.*/s, '')}`
}
