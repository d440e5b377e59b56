import { type ClientRequest, request } from 'node:http'
import { Readable } from 'node:stream'

/** The least tus client: one request at a time, every answer looked at. */

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

const version = { 'Tus-Resumable': '1.0.0' }

export function create(
  base: string,
  route: string,
  length: number,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const url = `${base}/uploads/${route}`
  return send(url, 'POST', { 'Upload-Length': String(length), ...headers })
}

export function head(url: string): Promise<Answer> {
  return send(url, 'HEAD')
}

/** Where the upload stands; throws if the server does not say. */
export async function offsetOf(url: string): Promise<number> {
  const answer = await head(url)
  if (answer.status !== 200) throw new Error(`HEAD answered ${answer.status}`)
  return Number(answer.headers['upload-offset'])
}

export interface Patch {
  offset: number
  body: Readable | Buffer
  /** Content-Length; chunked if it is left out and the body is a stream. */
  length?: number
  onRequest?(request: ClientRequest): void
}

export function patch(url: string, { offset, body, length, onRequest }: Patch) {
  const headers = {
    'Upload-Offset': String(offset),
    'Content-Type': 'application/offset+octet-stream',
    ...(length !== undefined && { 'Content-Length': String(length) }),
  }
  return send(url, 'PATCH', headers, { body, onRequest })
}

export interface Sending {
  body?: Readable | Buffer | undefined
  /** Silence after which the client hangs up, in ms. Default: never. */
  patience?: number | undefined
  onRequest?: Patch['onRequest']
}

export function send(
  url: string,
  method: string,
  headers: Record<string, string> = {},
  { body, patience, onRequest }: Sending = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      headers: { ...version, ...headers },
      agent: false,
    })
    onRequest?.(sent)
    if (patience) sent.setTimeout(patience, () => sent.destroy(new Error('no patience')))
    sent.on('error', reject)
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0, headers } = response
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString() })
      })
    })
    if (body instanceof Readable) {
      body.on('error', reject)
      body.pipe(sent)
    } else sent.end(body)
  })
}
