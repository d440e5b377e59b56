import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ErrorCode } from '../../src/shared/errors.ts'
import type { Answered, Asked, Exchange } from './exchange.ts'
import { doors, type TestServer } from './server.ts'

/** A row of the protocol as a request and its answer. */
export interface ProtocolRecord {
  /** Begins with the id of the row, e.g. `C3: …`. */
  title: string
  /** Made before; the request then goes to its URL. */
  upload?: UploadSpec
  method: string
  /** Default: the URL of `upload`, or of the route `demo`. */
  path?: string | ((upload: string) => string)
  headers?: Asked['headers']
  body?: Asked['body']
  answer: Expected
  /** Where the upload stands afterwards, as HEAD tells. */
  after?: NonNullable<Expected['headers']>
}

export interface Expected {
  status: number
  /** A text, a pattern, or null for a header that must not be there. */
  headers?: Record<string, string | RegExp | null>
  /** Of the problem in the body; an answer without it must have no body. */
  code?: ErrorCode
}

export interface UploadSpec {
  route?: string
  /** Bytes; null defers it. Default 10. */
  length?: number | null
  /** Already sent. */
  bytes?: string
  headers?: Record<string, string>
}

export const offsetStream = 'application/offset+octet-stream'

/** Runs every record through every door. */
export function records(
  test: Test,
  server: () => TestServer,
  rows: readonly ProtocolRecord[],
): void {
  for (const row of rows) {
    for (const door of doors) {
      test(`${row.title} (${door})`, () => play(server().doors[door], row))
    }
  }
}

async function play(exchange: Exchange, row: ProtocolRecord): Promise<void> {
  const { method, headers = {}, body, upload, answer, after } = row
  const url = upload ? await created(exchange, upload) : '/uploads/demo'
  const path = typeof row.path === 'function' ? row.path(url) : (row.path ?? url)
  const answered = await exchange({
    method,
    path,
    headers,
    ...(body !== undefined && { body }),
  })
  expectAnswer(answered, answer)
  if (!after) return
  const head = await exchange({ method: 'HEAD', path: url })
  expectAnswer(head, { status: 200, headers: after })
}

/** Compares the parts of an answer that the record names. */
export function expectAnswer(answered: Answered, expected: Expected): void {
  const { status, headers = {}, code } = expected
  assert.is(answered.status, status, `${answered.status}: ${answered.text}`)
  for (const [name, value] of Object.entries(headers)) {
    const found = answered.headers[name.toLowerCase()]
    if (value === null) assert.is(found, undefined, `${name}: ${found}`)
    else if (typeof value === 'string') assert.is(found, value, name)
    else assert.match(found ?? '', value, `${name}: ${found}`)
  }
  if (code) assert.is(answered.json().code, code)
}

/** Creates an upload, sends its first bytes, and returns its URL. */
export async function created(
  exchange: Exchange,
  { route = 'demo', length = 10, bytes, headers = {} }: UploadSpec = {},
): Promise<string> {
  const size: Record<string, string> =
    length === null ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }
  const path = `/uploads/${route}`
  const answered = await exchange({
    method: 'POST',
    path,
    headers: { ...size, ...headers },
  })
  assert.is(answered.status, 201, answered.text)
  const url = answered.headers.location ?? ''
  if (bytes !== undefined) {
    const patched = await patch(exchange, url, { offset: 0, body: bytes, headers })
    assert.is(patched.status, 204, patched.text)
  }
  return url
}

/** Sends bytes of an upload. */
export function patch(
  exchange: Exchange,
  url: string,
  {
    offset,
    body,
    headers = {},
  }: {
    offset: number
    body: NonNullable<Asked['body']>
    headers?: Record<string, string>
  },
): Promise<Answered> {
  return exchange({
    method: 'PATCH',
    path: url,
    headers: {
      'Upload-Offset': String(offset),
      'Content-Type': offsetStream,
      ...headers,
    },
    body,
  })
}

/** The `Upload-Metadata` header of these values, which may be bytes that are not text. */
export function metadataHeader(values: Record<string, string | Buffer>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',')
}

/** How many bytes an upload has, as HEAD tells. */
export async function offsetOf(
  exchange: Exchange,
  url: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const head = await exchange({ method: 'HEAD', path: url, headers })
  assert.is(head.status, 200)
  return Number(head.headers['upload-offset'])
}
