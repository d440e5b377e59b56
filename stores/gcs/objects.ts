import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { ByteRange, ObjectInfo, OpenedObject } from '../store.ts'
import type { PartBody } from '../writing/part-body.ts'
import type { Connected } from './client.ts'
import { isMissing, Refusal } from './errors.ts'
import { type Answered, type Asked, readAnswer } from './http.ts'
import type { GcsSettings } from './options.ts'
import { retrying } from './retry.ts'

/** Where the objects of a store are. */
export interface Place {
  readonly settings: GcsSettings
  readonly to: Connected
}

/** Stores a whole object in one request; with `fresh` only where there is none. */
export async function insert(
  place: Place,
  key: string,
  { body, info, fresh = false }: { body: PartBody; info: ObjectInfo; fresh?: boolean },
): Promise<void> {
  const boundary = randomBytes(16).toString('hex')
  const { contentType = 'application/octet-stream' } = info
  const before = Buffer.from(
    `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n` +
      `${resourceOf(place, info)}\r\n--${boundary}\r\nContent-Type: ${contentType}\r\n\r\n`,
  )
  const behind = Buffer.from(`\r\n--${boundary}--\r\n`)
  const url = uploadUrl(place, key, 'multipart')
  await ask(place, (isRepeated) => ({
    method: 'POST',
    // A first try whose answer was lost may have stored it.
    url: fresh && !isRepeated ? `${url}&ifGenerationMatch=0` : url,
    headers: { 'Content-Type': `multipart/related; boundary=${boundary}` },
    body: [before, body.read(), behind],
    length: before.length + body.length + behind.length,
  }))
}

/** Begins a resumable session; resolves with its address. */
export async function beginSession(
  place: Place,
  key: string,
  info: ObjectInfo,
): Promise<string> {
  const resource = Buffer.from(resourceOf(place, info))
  const answered = await ask(place, () => ({
    method: 'POST',
    url: uploadUrl(place, key, 'resumable'),
    headers: { 'Content-Type': 'application/json; charset=UTF-8' },
    body: [resource],
    length: resource.length,
  }))
  const { location } = answered.headers
  if (!location) throw new Refusal({ status: 502, text: 'a session without an address' })
  return location
}

/** Opens an object as it is stored: if that is compressed, it stays so. */
export async function openObject(
  place: Place,
  key: string,
  range: ByteRange | undefined,
): Promise<OpenedObject | null> {
  const { http, authorization } = place.to
  const Range = range && `bytes=${range.start}-${range.end}`
  const response = await retrying(async () => {
    const asked: Asked = {
      method: 'GET',
      url: `${objectUrl(place, key)}?alt=media`,
      headers: {
        ...(await authorization()),
        // Without it the service would unpack what is stored with gzip, and ignore the range.
        'Accept-Encoding': 'gzip',
        ...(Range && { Range }),
      },
    }
    const opened = await http.open(asked)
    const { statusCode = 0 } = opened
    if (statusCode === 200 || statusCode === 206) return opened
    const answered = await readAnswer(opened)
    return statusCode === 416 ? answered : refuseUnlessMissing(answered)
  })
  if (response === null) return null
  const { headers } = response
  const whole = /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1]
  const stored = headers['x-goog-stored-content-length'] ?? headers['content-length']
  const size = Number(whole ?? stored)
  if (!(response instanceof Readable)) return { size, stream: Readable.from([]) }
  const isPacked =
    headers['content-encoding'] === 'gzip' &&
    headers['x-goog-stored-content-encoding'] === 'identity'
  return { size, stream: isPacked ? response.compose(createGunzip()) : response }
}

export async function statObject(
  place: Place,
  key: string,
): Promise<{ size: number } | null> {
  const url = `${objectUrl(place, key)}?fields=size`
  const answered = await ask(place, () => ({ method: 'GET', url })).catch(nullIfMissing)
  return answered && { size: Number(JSON.parse(answered.text).size) }
}

export async function deleteObject(place: Place, key: string): Promise<void> {
  const url = objectUrl(place, key)
  await ask(place, () => ({ method: 'DELETE', url })).catch(nullIfMissing)
}

/** Copies in calls of which each does what it can. The bytes do not pass here. */
export async function copyObject(place: Place, from: string, to: string): Promise<void> {
  const { predefinedAcl, kmsKeyName } = place.settings
  const url = `${objectUrl(place, from)}/rewriteTo${objectPath(place, to)}`
  const query = new URLSearchParams({
    ...(predefinedAcl && { destinationPredefinedAcl: predefinedAcl }),
    ...(kmsKeyName && { destinationKmsKeyName: kmsKeyName }),
  })
  for (;;) {
    const asked = { method: 'POST', url: `${url}?${query}` } as const
    const { done, rewriteToken } = JSON.parse((await ask(place, () => asked)).text)
    if (done) return
    query.set('rewriteToken', rewriteToken)
  }
}

/** Some of the objects below the prefix, and where the others begin. */
export interface Page {
  readonly items?: readonly { name: string; size: string; updated: string }[]
  readonly nextPageToken?: string
}

/**
 * Not by the SDK: it waits for ever for an answer that breaks off after its headers.
 * @throws {Refusal}
 */
export async function listPage(place: Place, options: PageOptions): Promise<Page> {
  const { bucket, prefix } = place.settings
  const { maxResults, pageToken } = options
  const query = new URLSearchParams({
    prefix,
    maxResults: String(maxResults),
    fields: 'nextPageToken,items(name,size,updated)',
    ...(pageToken && { pageToken }),
  })
  const url = `${place.to.endpoint}/storage/v1/b/${encodeURIComponent(bucket)}/o?${query}`
  const { text } = await ask(place, () => ({ method: 'GET', url }))
  return JSON.parse(text)
}

export interface PageOptions {
  readonly maxResults: number
  readonly pageToken?: string
}

/** A request with credentials; `make` is called for each attempt. @throws {Refusal} */
function ask({ to }: Place, make: (isRepeated: boolean) => Asked): Promise<Answered> {
  return retrying(async (isRepeated) => {
    const authorization = await to.authorization()
    const asked = make(isRepeated)
    const headers = { ...authorization, ...asked.headers }
    const answered = await to.http.ask({ ...asked, headers })
    if (answered.status >= 300) throw new Refusal(answered)
    return answered
  })
}

/** The object as the service describes it. */
function resourceOf({ settings }: Place, info: ObjectInfo): string {
  const { contentType, contentDisposition, metadata } = info
  const { cacheControl, storageClass } = settings
  return JSON.stringify({
    contentType,
    contentDisposition,
    metadata,
    cacheControl,
    storageClass,
  })
}

function uploadUrl({ settings, to }: Place, key: string, uploadType: string): string {
  const { bucket, prefix, predefinedAcl, kmsKeyName } = settings
  const query = new URLSearchParams({
    uploadType,
    name: prefix + key,
    ...(predefinedAcl && { predefinedAcl }),
    ...(kmsKeyName && { kmsKeyName }),
  })
  return `${to.endpoint}/upload/storage/v1/b/${encodeURIComponent(bucket)}/o?${query}`
}

function objectUrl(place: Place, key: string): string {
  return `${place.to.endpoint}/storage/v1${objectPath(place, key)}`
}

function objectPath({ settings: { bucket, prefix } }: Place, key: string): string {
  return `/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(prefix + key)}`
}

function refuseUnlessMissing(answered: Answered): null {
  return nullIfMissing(new Refusal(answered))
}

function nullIfMissing(error: unknown): null {
  if (isMissing(error)) return null
  throw error
}
