import * as assert from 'uvu/assert'
import type { UploadStatus } from '../../src/uploads/status.ts'
import { created, metadataHeader, patch } from './records.ts'
import type { TestServer } from './server.ts'

/** What a test does to follow one upload from its first byte to its end. */

export interface Upload {
  url: string
  id: string
}

export interface Begun {
  /** Bytes; null where the length is not known yet. */
  length: number | null
  metadata?: Record<string, string | Buffer>
  headers?: Record<string, string>
}

export type Sent = Omit<Begun, 'length'> & { body: Buffer | string }

/** Creates an upload on `route` and sends all of its body; throws if either is refused. */
export async function upload(
  server: TestServer,
  route: string,
  sent: Sent | Buffer | string,
): Promise<Upload> {
  const { body, ...rest } =
    typeof sent === 'string' || Buffer.isBuffer(sent) ? { body: sent } : sent
  const made = await begin(server, route, { ...rest, length: Buffer.byteLength(body) })
  const { headers = {} } = rest as Partial<Begun>
  const answer = await patch(server.doors.http, made.url, { offset: 0, body, headers })
  assert.is(answer.status, 204, answer.text)
  return made
}

/** Creates an upload on `route`. */
export async function begin(
  server: TestServer,
  route: string,
  { length, metadata = {}, headers = {} }: Begun,
): Promise<Upload> {
  const described = metadataHeader(metadata)
  const url = await created(server.doors.http, {
    route,
    length,
    headers: { ...(described && { 'Upload-Metadata': described }), ...headers },
  })
  return { url, id: url.split('/').at(-1) ?? '' }
}

/** What `GET` of the upload tells, at the latest after `wait` seconds. */
export async function statusOf(
  server: TestServer,
  { url }: Upload,
  wait = 0,
): Promise<UploadStatus> {
  const answer = await server.doors.http({ method: 'GET', path: `${url}?wait=${wait}` })
  assert.is(answer.status, 200, answer.text)
  // What the route promises to answer.
  return answer.json() as unknown as UploadStatus
}

/** The types of all events of an upload, in the order they happened. */
export async function eventsOf(server: TestServer, { id }: Upload): Promise<string[]> {
  const events = await server.uploads.db.prisma.event.findMany({
    where: { fileId: id },
    orderBy: { seq: 'asc' },
  })
  return events.map(({ type }) => type)
}

/** The names of the jobs that wait for an upload. */
export async function jobsOf(server: TestServer, { id }: Upload): Promise<string[]> {
  const { rows } = await server.uploads.db.executeSql(
    `SELECT name FROM carcosa_jobs.job WHERE data->>'fileId' = '${id}' ORDER BY name`,
  )
  return rows.map(({ name }) => String(name))
}

/** Asks an upload with HEAD, sends it a PATCH and a GET of its file: the three statuses. */
export async function seenBy(server: TestServer, { url, id }: Upload): Promise<number[]> {
  const exchange = server.doors.http
  const head = await exchange({ method: 'HEAD', path: url })
  const sent = await patch(exchange, url, { offset: 0, body: 'x' })
  const file = await exchange({ method: 'GET', path: `/files/${id}` })
  return [head.status, sent.status, file.status]
}
