import type { Act, Call } from './call.ts'
import { change, describe, found, GcsError, type GcsObject, store } from './state.ts'

export const getObject: Act = ({ state, name }) => ({
  body: describe(state, name, found(state, name)),
})

export const deleteObject: Act = ({ state, name }) => {
  found(state, name)
  change(state, name)
  state.objects.delete(name)
  return { status: 204 }
}

export const patchObject: Act = ({ state, name, body }) => {
  const { bytes, resource } = found(state, name)
  const changes = JSON.parse(body.toString())
  const patched = store(state, name, { bytes, resource: { ...resource, ...changes } })
  return { body: describe(state, name, patched) }
}

export const listObjects: Act = ({ state, query }) => {
  const prefix = query.get('prefix') ?? ''
  const most = Number(query.get('maxResults') ?? 1000)
  const after = query.get('pageToken') ?? ''
  const names = [...state.objects.keys()]
    .filter((name) => name.startsWith(prefix) && name > after)
    .sort()
  const page = names.slice(0, most)
  const items = page.map((name) => describe(state, name, found(state, name)))
  const more = names.length > page.length && { nextPageToken: page.at(-1) }
  return { body: { kind: 'storage#objects', items, ...more } }
}

export const compose: Act = ({ state, name, body }) => {
  const { sourceObjects, destination } = JSON.parse(body.toString())
  const sources: GcsObject[] = sourceObjects.map(({ name }: { name: string }) =>
    found(state, name),
  )
  const bytes = Buffer.concat(sources.map(({ bytes }) => bytes))
  const { contentType } = destination ?? {}
  const object = store(state, name, { bytes, resource: { contentType } })
  return { body: describe(state, name, object) }
}

export const rewrite: Act = ({ state, name, target, query, attempt }) => {
  const source = found(state, name)
  const size = String(source.bytes.length)
  if (attempt < state.faults.rewriteCalls) {
    if (attempt > 1 && !query.has('rewriteToken')) {
      throw new GcsError(400, 'required', 'A token is missing.')
    }
    const progress = { totalBytesRewritten: '0', objectSize: size, done: false }
    return { body: { ...progress, rewriteToken: `step-${attempt}` } }
  }
  const resource = describe(state, target, store(state, target, source))
  return { body: { totalBytesRewritten: size, objectSize: size, done: true, resource } }
}

/** A body of two parts: the object's description, and its bytes. */
export const insert: Act = ({ state, name, headers, query, body }) => {
  if (query.get('ifGenerationMatch') === '0' && state.objects.has(name)) {
    throw new GcsError(412, 'conditionNotMet', 'There is an object of this name.')
  }
  const boundary = /boundary="?([^";]+)/.exec(headers['content-type'] ?? '')?.[1]
  const [, description, content] = splitAt(body, `--${boundary}`)
  if (!boundary || !description || !content) {
    throw new GcsError(400, 'badContent', 'The body has other than two parts.')
  }
  const resource = JSON.parse(contentOf(description).toString())
  const object = store(state, name, { bytes: contentOf(content), resource })
  return { body: describe(state, name, object) }
}

export const download: Act = (call) => {
  const { state, name, headers } = call
  const object = found(state, name)
  const { bytes, resource } = object
  const shared = {
    'Content-Type': resource.contentType ?? 'application/octet-stream',
    'X-Goog-Stored-Content-Length': bytes.length,
    'X-Goog-Stored-Content-Encoding': 'identity',
  }
  if (!headers.range) return { headers: shared, body: bytes }
  const [, first, last] = /^bytes=(\d+)-(\d+)?$/.exec(headers.range) ?? []
  const start = Number(first)
  if (start >= bytes.length) return unsatisfiable(call, bytes.length)
  const end = Math.min(Number(last ?? bytes.length - 1), bytes.length - 1)
  return {
    status: 206,
    headers: { ...shared, 'Content-Range': `bytes ${start}-${end}/${bytes.length}` },
    body: bytes.subarray(start, end + 1),
  }
}

/** Its query says what it is answered with, but for `Cache-Control`. Nothing is verified. */
export const signedDownload: Act = (call) => {
  const answer = download(call)
  const type = call.query.get('response-content-type')
  const disposition = call.query.get('response-content-disposition')
  const { cacheControl = 'private, max-age=0' } = found(call.state, call.name).resource
  return {
    ...answer,
    headers: {
      ...answer.headers,
      'Cache-Control': cacheControl,
      ...(type && { 'Content-Type': type }),
      ...(disposition && { 'Content-Disposition': disposition }),
    },
  }
}

function unsatisfiable({ name }: Call, size: number) {
  const body = `The range is not in ${name}.`
  return { status: 416, headers: { 'Content-Range': `bytes */${size}` }, body }
}

function splitAt(body: Buffer, mark: string): Buffer[] {
  const parts: Buffer[] = []
  let from = 0
  for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, from)) {
    parts.push(body.subarray(from, at))
    from = at + mark.length
  }
  return parts
}

/** Without its headers, and the line ends around. */
function contentOf(part: Buffer): Buffer {
  return part.subarray(part.indexOf('\r\n\r\n') + 4, -2)
}
