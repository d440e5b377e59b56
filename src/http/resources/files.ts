import { z } from '@hono/zod-openapi'
import { type FileRecord, fileStates } from '../../files/record.ts'
import { CarcosaError } from '../../shared/errors.ts'
import { type Noun, one, within } from '../rest/asks.ts'
import { type Operation, operation } from '../rest/operation.ts'
import { givenTime, iso, page, pageQuery, text, time } from '../rest/schemas.ts'

const File = z
  .object({
    id: z.string(),
    route: z.string(),
    ownerId: z.string().nullable().openapi({ description: 'Who uploaded it.' }),
    state: z.enum(fileStates),
    filename: z.string().nullable(),
    contentType: z.string().nullable(),
    contentDisposition: z.enum(['inline', 'attachment']),
    acl: z.enum(['private', 'public-read']),
    size: z
      .int()
      .nullable()
      .openapi({ description: 'Bytes; null while it is not known.' }),
    sha256: z.string().nullable(),
    batchId: z.string().nullable(),
    failure: z.object({ code: z.string(), message: z.string() }).nullable(),
    createdAt: time,
    updatedAt: time,
    storedAt: time.nullable(),
    readyAt: time.nullable(),
  })
  .openapi('File')

const file: Noun<FileRecord, typeof File> = {
  name: 'file',
  missing: 'FILE_NOT_FOUND',
  seenBy: 'files.read',
  schema: File,
  async find({ api, projectId }, id) {
    const found = await api.files.get(id)
    return found?.projectId === projectId && found.state !== 'removed' ? found : null
  },
  // Its acl is for its bytes: who uploaded it, and when, is not for everybody.
  resourceOf: ({ projectId, ownerId, route }) => ({ projectId, ownerId, route }),
  show,
}

/** Files, finished or not. */
export const files: readonly Operation[] = [
  operation({
    id: 'listFiles',
    method: 'get',
    path: '/files',
    tag: 'Files',
    summary: 'List files',
    description: 'Newest first. Whoever may read only their own files is listed those.',
    asks: within('files.read'),
    query: {
      route: text(256).optional(),
      owner: text(256).optional(),
      state: z.enum(fileStates).optional().openapi({
        description: 'Default: what can be read (`stored`, `processing`, `ready`).',
      }),
      createdAfter: givenTime.optional(),
      createdBefore: givenTime.optional(),
      ...pageQuery,
    },
    answer: page('files', File).openapi('FilePage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, projectId, reach, query }) {
      const { owner, state, ...others } = query
      const states = state && [state]
      const options = { ...others, projectId, within: reach, ownerId: owner, states }
      const list = await api.files.list(options)
      return { ...list, files: list.files.map(show) }
    },
  }),
  operation({
    id: 'deleteFiles',
    method: 'post',
    path: '/files/delete',
    tag: 'Files',
    summary: 'Delete files',
    description: 'At most 100. What may not be deleted, or is not there, is left out.',
    asks: within('files.delete'),
    body: z.strictObject({ ids: z.array(text(256)).min(1).max(100) }),
    answer: z.object({ deleted: z.array(z.string()) }).openapi('DeletedFiles'),
    async handle(context) {
      const { api, access, principal, body } = context
      const deleted: string[] = []
      for (const id of new Set(body.ids)) {
        const found = await file.find(context, id)
        if (!found) continue
        const resource = file.resourceOf(found, context)
        if (!access.can(principal, 'files.delete', resource).allowed) continue
        if (await api.files.delete(id)) deleted.push(id)
      }
      return { deleted }
    },
  }),
  operation({
    id: 'getFile',
    method: 'get',
    path: '/files/{id}',
    tag: 'Files',
    summary: 'Get a file',
    description: 'What is known of it; its bytes are at `/files/{id}`.',
    asks: one(file, 'files.read'),
    answer: File,
    handle: async ({ found }) => show(found),
  }),
  operation({
    id: 'updateFile',
    method: 'patch',
    path: '/files/{id}',
    tag: 'Files',
    summary: 'Change the name of a file',
    asks: one(file, 'files.write'),
    body: z.strictObject({ filename: text(4096) }),
    answer: File,
    async handle({ api, found, body, isConditional }) {
      const condition = isConditional ? { ifUpdatedAt: found.updatedAt } : {}
      return show(await api.files.rename(found.id, body.filename, condition))
    },
  }),
  operation({
    id: 'deleteFile',
    method: 'delete',
    path: '/files/{id}',
    tag: 'Files',
    summary: 'Delete a file',
    asks: one(file, 'files.delete'),
    answer: null,
    async handle({ api, found }) {
      await api.files.delete(found.id)
    },
  }),
  operation({
    id: 'signFile',
    method: 'post',
    path: '/files/{id}/sign',
    tag: 'Files',
    summary: 'Make a URL that opens a file for a while',
    asks: one(file, 'files.sign'),
    body: z.strictObject({
      expiresIn: z.int().min(1).max(604_800).default(3_600).openapi({
        description: 'Seconds. The server may allow less than seven days.',
      }),
      disposition: z.enum(['inline', 'attachment']).optional(),
    }),
    answer: z.object({ url: z.string() }).openapi('SignedUrl'),
    async handle({ api, found, body, prefix, settings }) {
      const { disposition = null } = body
      const expiresIn = body.expiresIn * 1_000
      if (expiresIn > settings.maxSignedUrlAge) throw tooLong(settings.maxSignedUrlAge)
      const wish = { expiresIn, disposition }
      return { url: await api.files.sign(found.id, wish, prefix) }
    },
  }),
]

function tooLong(maxAge: number): CarcosaError {
  return new CarcosaError('BAD_REQUEST', {
    message: `A URL may be signed for at most ${Math.floor(maxAge / 1_000)} seconds here.`,
    details: { maxSeconds: Math.floor(maxAge / 1_000) },
  })
}

function show(record: FileRecord): z.input<typeof File> {
  const { id, route, ownerId, state, filename, contentType, contentDisposition } = record
  const { acl, size, sha256, batchId, failure } = record
  return {
    ...{ id, route, ownerId, state, filename, contentType, contentDisposition },
    ...{ acl, size, sha256, batchId, failure },
    createdAt: iso(record.createdAt),
    updatedAt: iso(record.updatedAt),
    storedAt: iso(record.storedAt),
    readyAt: iso(record.readyAt),
  }
}
