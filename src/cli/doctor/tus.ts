import { Broken } from './check.ts'
import type { Answer, OpenRequest } from './exchange.ts'
import { expect, headerHidden } from './explain.ts'
import { begin, type Patient, type Route, send } from './patient.ts'

/** The requests of an upload, as any tus client sends them. */

/** An upload that was created, and how it is spoken to. */
export interface Upload {
  readonly url: URL
  /** As the server told it. */
  readonly location: string
  readonly size: number
  /** The ticket, where it has one. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the creation. */
  readonly created: Answer
}

const tus = { 'Tus-Resumable': '1.0.0' }
const bytes = { 'Content-Type': 'application/offset+octet-stream' }

/** The route that is used. `routes` is a need of every check that asks. */
export function routeOf({ route }: Patient): Route {
  if (!route) throw new TypeError('no route was chosen: the check must need "routes"')
  return route
}

export function creationPath(patient: Patient): string {
  return `/uploads/${encodeURIComponent(routeOf(patient).name)}`
}

export interface Creation {
  readonly size: number
  /** Of Upload-Metadata, as key and base64. */
  readonly metadata?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Creates an upload that is deleted when the doctor leaves. @throws {Broken} */
export async function create(patient: Patient, creation: Creation): Promise<Upload> {
  const answer = await tryCreate(patient, creation)
  expect(answer, [201], sentBy(patient, creation))
  return remember(patient, creation, answer)
}

/** The bare request; what it creates is remembered too. */
export async function tryCreate(patient: Patient, creation: Creation): Promise<Answer> {
  const { size, metadata = metadataFor(patient), headers } = creation
  const answer = await send(patient, 'POST', {
    to: creationPath(patient),
    headers: {
      ...tus,
      'Upload-Length': String(size),
      'Upload-Metadata': metadata,
      ...headers,
    },
    body: '',
  })
  if (answer.status === 201 && answer.headers.location)
    remember(patient, creation, answer)
  return answer
}

export function sentBy(patient: Patient, { size }: Creation): string {
  return `POST ${creationPath(patient)} with Upload-Length: ${size}`
}

/** Name, type and input, as clients tell them. */
export function metadataFor(patient: Patient): string {
  const { sample } = routeOf(patient)
  const { input } = patient.wishes
  const pairs = { filename: sample.name, filetype: sample.type }
  const all = input === undefined ? pairs : { ...pairs, input: JSON.stringify(input) }
  return Object.entries(all)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',')
}

/** Wherever Location leads, the upload is spoken to below the URL that was given. */
function remember(
  patient: Patient,
  { size, headers = {} }: Creation,
  created: Answer,
): Upload {
  const { location } = created.headers
  if (!location) {
    throw new Broken({
      ...headerHidden('Location'),
      message:
        'The answer to POST comes without Location: clients cannot find what they created, and neither can the doctor, so that it stays until it expires.',
      sent: `POST ${creationPath(patient)}`,
      got: `${created.status} without Location`,
    })
  }
  const known = [...patient.uploads].find((upload) => upload.location === location)
  if (known) return known
  const [id = ''] = location.split(/[?#]/, 1).join('').split('/').slice(-1)
  const url = new URL(`${patient.base}${creationPath(patient)}/${id}`)
  const upload = { url, location, size, headers: { ...headers }, created }
  patient.uploads.add(upload)
  return upload
}

export function head(patient: Patient, upload: Upload): Promise<Answer> {
  return send(patient, 'HEAD', { to: upload.url, headers: { ...tus, ...upload.headers } })
}

/** The offset by HEAD. @throws {Broken} */
export async function offsetOf(patient: Patient, upload: Upload): Promise<number> {
  const answer = expect(await head(patient, upload), [200, 204], 'HEAD of an upload')
  const offset = answer.headers['upload-offset']
  if (offset !== undefined) return Number(offset)
  throw new Broken({
    ...headerHidden('Upload-Offset'),
    sent: 'HEAD of an upload',
    got: `${answer.status} without Upload-Offset`,
  })
}

/** Bytes from `offset` on. */
export function patch(
  patient: Patient,
  upload: Upload,
  { offset, body }: { offset: number; body: Uint8Array },
): Promise<Answer> {
  return send(patient, 'PATCH', {
    to: upload.url,
    headers: { ...patchHeaders(upload, offset) },
    body,
  })
}

export interface OpenPatch {
  readonly offset: number
  /** Null: the body goes in chunks. */
  readonly length: number | null
  readonly headers?: Readonly<Record<string, string>>
  readonly patience?: number
}

/** A PATCH whose body is sent piece by piece. */
export function openPatch(
  patient: Patient,
  upload: Upload,
  open: OpenPatch,
): OpenRequest {
  const { offset, length, headers, patience } = open
  return begin(patient, 'PATCH', {
    to: upload.url,
    headers: {
      ...patchHeaders(upload, offset),
      ...(length !== null && { 'Content-Length': String(length) }),
      ...headers,
    },
    ...(patience !== undefined && { patience }),
  })
}

function patchHeaders(upload: Upload, offset: number): Record<string, string> {
  return { ...tus, ...bytes, 'Upload-Offset': String(offset), ...upload.headers }
}

/** The state as JSON; `wait` in seconds. */
export function status(
  patient: Patient,
  upload: Upload,
  { wait = 0, patience = 30_000 } = {},
): Promise<Answer> {
  const to = new URL(upload.url)
  if (wait > 0) to.searchParams.set('wait', String(wait))
  return send(patient, 'GET', { to, headers: upload.headers, patience })
}

export async function remove(
  patient: Patient,
  upload: Upload,
  signal?: AbortSignal,
): Promise<Answer> {
  const asked = {
    to: upload.url,
    headers: { ...tus, ...upload.headers },
    ...(signal && { signal }),
  }
  const answer = await send(patient, 'DELETE', asked)
  if (isGone(answer)) patient.uploads.delete(upload)
  return answer
}

/**
 * Deletes all that was created, also where DELETE is blocked and after Ctrl-C. What cannot be
 * deleted stays in `patient.uploads`.
 */
export async function removeAll(patient: Patient): Promise<void> {
  for (const upload of [...patient.uploads]) {
    const signal = AbortSignal.timeout(10_000)
    try {
      if (isGone(await remove(patient, upload, signal))) continue
      const override = { ...tus, ...upload.headers, 'X-HTTP-Method-Override': 'DELETE' }
      const asked = { to: upload.url, headers: override, body: '', signal }
      if (isGone(await send(patient, 'POST', asked))) patient.uploads.delete(upload)
    } catch {
      // It is told by name what is left.
    }
  }
}

function isGone({ status: code }: Answer): boolean {
  return code === 204 || code === 404 || code === 410
}
