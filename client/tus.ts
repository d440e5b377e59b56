import * as tus from 'tus-js-client'
import { CarcosaClientError, toClientError } from './errors.ts'
import { type GuardOptions, guardStack, unanswered } from './guard.ts'
import { errorFromAnswer } from './problem.ts'
import { openSource, type Uploadable } from './source.ts'

/** One try to bring a file, or the rest of it, to the server. */
export interface Transmission {
  readonly file: Uploadable
  /** Where to create the upload, or the upload that exists. */
  readonly target: { readonly endpoint: string } | { readonly url: string }
  readonly metadata: Record<string, string>
  /** Bytes per request. */
  readonly chunkSize: number
  /** Send the first bytes along with the creation: one request instead of two. */
  readonly withCreation: boolean
  readonly stallTimeout: number
  readonly signal: AbortSignal
  /** Sends cookies to other origins too; means something in browsers only. */
  readonly withCredentials: boolean
  /** Asked before each request, so that a token may be renewed during a long upload. */
  headers(): Promise<Record<string, string>>
  /** The upload exists now, at this absolute URL. */
  onUrl(url: string): void
  /** Bytes that left this side, and may yet be lost. */
  onSent(bytes: number): void
  /** Bytes the server has promised to keep. */
  onAcknowledged(offset: number): void
  /** When the server will remove the upload if it stays unfinished. */
  onExpires(expires: Date): void
}

/**
 * Makes requests that tell how much of their body was sent, with XMLHttpRequest in browsers
 * and `node:http` in Node.
 */
export function httpStack(options: GuardOptions) {
  return guardStack(tus.defaultOptions.httpStack, options)
}

/**
 * Runs one try. This file is the only use of tus-js-client in Carcosa.
 *
 * tus-js-client 4.3.1 answers any failed `HEAD` except 423 by forgetting the upload and
 * sending everything again, but only if it has an `endpoint`; without one it reports the
 * failure. So an upload that exists is given a `uploadUrl` and no `endpoint`, the built-in
 * retries and URL storage are off, and the caller decides what each failure means.
 */
export function transmit(transmission: Transmission): Promise<void> {
  const { signal } = transmission
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(transmission.file as Blob, {
      ...uploadOptions(transmission),
      onUploadUrlAvailable: () => {
        if (upload.url) transmission.onUrl(upload.url)
      },
      onSuccess: () => settle(resolve),
      onError: (error) => settle(() => reject(convert(error))),
    })
    const abort = () => {
      void upload.abort()
      settle(() => reject(signal.reason))
    }
    const settle = (how: () => void) => {
      signal.removeEventListener('abort', abort)
      how()
    }
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    else upload.start()
  })
}

function uploadOptions(transmission: Transmission): tus.UploadOptions {
  const { target } = transmission
  return {
    ...('url' in target ? { uploadUrl: target.url } : { endpoint: target.endpoint }),
    metadata: transmission.metadata,
    chunkSize: transmission.chunkSize,
    uploadDataDuringCreation: transmission.withCreation,
    retryDelays: null,
    storeFingerprintForResuming: false,
    // Not used without storage, but the default for Node cannot take a File.
    fingerprint: async () => '',
    fileReader: { openFile: async () => openSource(transmission.file) },
    httpStack: httpStack(transmission),
    onBeforeRequest: (request) => prepareRequest(request, transmission),
    onAfterResponse: (_request, response) => readResponse(response, transmission),
    onProgress: (sent) => transmission.onSent(sent),
  }
}

async function prepareRequest(request: tus.HttpRequest, transmission: Transmission) {
  const headers = await transmission.headers()
  for (const [name, value] of Object.entries(headers)) request.setHeader(name, value)
  if (!transmission.withCredentials) return
  const underlying = request.getUnderlyingObject() as { withCredentials?: boolean } | null
  if (underlying && 'withCredentials' in underlying) underlying.withCredentials = true
}

function readResponse(response: tus.HttpResponse, transmission: Transmission) {
  if (response.getStatus() >= 300) return
  const offset = Number.parseInt(response.getHeader('Upload-Offset') ?? '', 10)
  if (!Number.isNaN(offset)) transmission.onAcknowledged(offset)
  const expires = Date.parse(response.getHeader('Upload-Expires') ?? '')
  if (!Number.isNaN(expires)) transmission.onExpires(new Date(expires))
}

function convert(error: Error): CarcosaClientError {
  if (!(error instanceof tus.DetailedError)) return toClientError(error)
  const { originalRequest: request, originalResponse: response, causingError } = error
  if (causingError instanceof CarcosaClientError) return causingError
  if (!response) return unanswered(request, causingError)
  if (response.getStatus() < 300) return unintelligible(error, response)
  return errorFromAnswer({
    method: request.getMethod(),
    url: request.getURL(),
    status: response.getStatus(),
    body: response.getBody() ?? '',
    header: (name) => response.getHeader(name),
  })
}

/** Retried, because the `HEAD` of the next try tells where the upload really stands. */
function unintelligible(
  error: tus.DetailedError,
  response: tus.HttpResponse,
): CarcosaClientError {
  return new CarcosaClientError('RESPONSE_INVALID', {
    message: error.message,
    status: response.getStatus(),
    retryable: true,
    cause: error,
  })
}
