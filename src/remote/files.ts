import type { FileRecord } from '../files/record.ts'
import { parseDuration } from '../shared/durations.ts'
import { CarcosaError } from '../shared/errors.ts'
import { assertFew, atOnce, each, toOutcome } from '../shared/many.ts'
import type { RemoteFile, RemoteFiles, RemotePage, RemoteReference } from './api.ts'
import { change, find, remove } from './find.ts'
import { mapFew } from './map-few.ts'
import { revive, revivePage } from './revive.ts'
import { type Json, pathOf, type Transport } from './transport.ts'
import { createUploadFiles } from './upload-files.ts'

/** Which members of a file are times. */
export const fileTimes = [
  ...['createdAt', 'updatedAt', 'storedAt', 'readyAt', 'purgeAfter'],
]

export function createFiles(transport: Transport): RemoteFiles {
  const { ask } = transport
  const reviveFile = (json: Json) => revive<RemoteFile>(json, fileTimes)

  const get: RemoteFiles['get'] = async (file) => {
    const { customId } = Object(file)
    const path =
      typeof file === 'string'
        ? pathOf`/files/${file}`
        : pathOf`/files/by-custom-id/${customId}`
    // An empty part of a path is none.
    if (file === '' || customId === '') return null
    const answer = await find(transport, { method: 'GET', path }, missing)
    return answer && reviveFile(answer.json)
  }
  /** Null if there is none with this custom id; an id is believed. */
  const idOf = async (file: RemoteReference) =>
    typeof file === 'string' ? file || null : ((await get(file))?.id ?? null)
  const requireId = async (file: RemoteReference) => {
    const id = await idOf(file)
    if (id === null) throw noFile(file)
    return id
  }
  const update: RemoteFiles['update'] = async (file, edit, { ifMatch } = {}) => {
    const path = pathOf`/files/${await requireId(file)}`
    const isExpected = ifMatch === undefined ? undefined : isRevision(ifMatch)
    const { json } = await change(transport, { path, body: edit, isExpected })
    return reviveFile(json)
  }
  const sign: RemoteFiles['sign'] = async (file, options = {}) => {
    const path = pathOf`/files/${await requireId(file)}/sign`
    const { json } = await ask({ method: 'POST', path, body: signingOf(options) })
    return absolute(transport, json.url)
  }

  return {
    ...createUploadFiles(transport, reviveFile),
    async list({ ownerId, states, ...filters } = {}) {
      if (states?.length === 0) return { files: [], nextCursor: null }
      const query = { ...filters, owner: ownerId, state: states }
      const { json } = await ask({ method: 'GET', path: '/files', query })
      return revivePage<RemotePage>(json, 'files', fileTimes)
    },
    get,
    update,
    rename: (file, filename, condition) => update(file, { filename }, condition),
    async updateMany(updates) {
      assertFew(updates)
      const edited = await each(updates, atOnce, ({ file, ifMatch, ...edit }) =>
        update(file, edit, ifMatch === undefined ? {} : { ifMatch }),
      )
      return edited.map(toOutcome)
    },
    async delete(file) {
      const id = await idOf(file)
      return id !== null && remove(transport, pathOf`/files/${id}`, missing)
    },
    async deleteMany(files) {
      assertFew(files)
      const ids = await mapFew(files, idOf)
      const known = ids.filter((id) => id !== null)
      if (known.length === 0) return files.map((file) => outcomeOf(file, false))
      const body = { ids: known }
      const { json } = await ask({ method: 'POST', path: '/files/delete', body })
      const deleted = new Set(Array.isArray(json.deleted) ? json.deleted : [])
      // Named twice, a file is deleted once.
      return files.map((file, i) => outcomeOf(file, deleted.delete(ids[i])))
    },
    async restore(id, { customId } = {}) {
      const path = pathOf`/files/${id}/restore`
      const body = customId === undefined ? {} : { customId }
      return reviveFile((await ask({ method: 'POST', path, body })).json)
    },
    sign,
    async signMany(files, options = {}) {
      assertFew(files)
      if (files.length === 0) return []
      const ids = await mapFew(files, idOf)
      const body = { ids: ids.map((id) => id ?? '-'), ...signingOf(options) }
      const { json } = await ask({ method: 'POST', path: '/files/sign', body })
      const urls = Array.isArray(json.urls) ? json.urls : []
      return files.map((_, i) => (urls[i] ? absolute(transport, urls[i]) : null))
    },
    async url(file) {
      const found = await get(file)
      if (!found) throw noFile(file)
      const url = new URL(await sign(found.id))
      if (found.acl === 'public-read') url.search = ''
      return url.href
    },
  }
}

const missing = 'FILE_NOT_FOUND'

function isRevision(ifMatch: number) {
  return ({ id, revision }: Partial<FileRecord>) => {
    if (revision === ifMatch) return true
    throw new CarcosaError('PRECONDITION_FAILED', {
      message: `The file was changed meanwhile: it has revision ${revision}, not ${ifMatch}. Read it again.`,
      details: { id, revision },
    })
  }
}

function outcomeOf(file: RemoteReference, deleted: boolean) {
  return { file, deleted, error: null }
}

function signingOf({
  expiresIn = '1h',
  disposition,
}: NonNullable<Parameters<RemoteFiles['sign']>[1]>) {
  const seconds = secondsOf(expiresIn)
  return { expiresIn: seconds, ...(disposition && { disposition }) }
}

/** Rounded up, so that what was asked for is not over before. @throws {TypeError} */
export function secondsOf(duration: number | string): number {
  return Math.ceil(parseDuration(duration) / 1_000)
}

/** Servers without `publicUrl` tell URLs from the root on. */
function absolute({ settings }: Transport, url: unknown): string {
  return new URL(String(url), settings.url).href
}

function noFile(reference: RemoteReference): CarcosaError {
  const { customId } = Object(reference)
  const named = JSON.stringify(String(customId ?? reference).slice(0, 64))
  const what = customId === undefined ? '' : 'with the custom id '
  return new CarcosaError('FILE_NOT_FOUND', {
    message: `There is no readable file ${what}${named}.`,
  })
}
