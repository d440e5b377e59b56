import { z } from '@hono/zod-openapi'
import type { FileRecord } from '../../files/record.ts'
import { isUnfinished } from '../../uploads/state.ts'
import { missing, type Noun, one, within } from '../rest/asks.ts'
import { type Operation, operation } from '../rest/operation.ts'
import { iso, page, pageQuery, text, time } from '../rest/schemas.ts'
import { asProgram, programUpload, programUploadCodes } from '../rest/uploading.ts'

const Upload = z
  .object({
    id: z.string(),
    projectId: z.string(),
    route: z.string(),
    ownerId: z.string().nullable(),
    state: z.enum(['created', 'receiving']),
    filename: z.string().nullable(),
    declaredType: z.string().nullable(),
    size: z
      .int()
      .nullable()
      .openapi({ description: 'Bytes; null while it is not known.' }),
    offset: z.int().openapi({ description: 'Bytes that have arrived.' }),
    batchId: z.string().nullable(),
    createdAt: time,
    updatedAt: time,
    expiresAt: time.nullable().openapi({ description: 'When it is given up.' }),
  })
  .openapi('Upload')

const Begun = z
  .object({
    url: z.string().openapi({ description: 'Where it is created by tus.' }),
    ticket: z.string(),
    expiresAt: time.openapi({ description: 'Until when it can be created.' }),
  })
  .openapi('BegunUpload')

const upload: Noun<FileRecord, typeof Upload> = {
  name: 'unfinished upload',
  missing: 'UPLOAD_NOT_FOUND',
  seenBy: 'uploads.read',
  schema: Upload,
  async find({ api, projectId }, id) {
    const found = await api.files.get(id)
    return found?.projectId === projectId && isUnfinished(found.state) ? found : null
  },
  resourceOf({ projectId, ownerId, route }, { isPublicRoute }) {
    return { projectId, ownerId, route, isPublicRoute: isPublicRoute(route) }
  },
  show,
}

/** Uploads that are not finished. What they become are files. */
export const uploads: readonly Operation[] = [
  operation({
    id: 'listUploads',
    method: 'get',
    path: '/uploads',
    tag: 'Uploads',
    summary: 'List unfinished uploads',
    description: 'Newest first. Whoever may read only their own is listed those.',
    asks: within('uploads.read'),
    query: { route: text(256).optional(), owner: text(256).optional(), ...pageQuery },
    answer: page('uploads', Upload).openapi('UploadPage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, projectId, reach, query }) {
      const { owner, ...others } = query
      const options = { ...others, projectId, within: reach, ownerId: owner }
      const list = await api.uploads.list(options)
      return { ...list, uploads: list.uploads.map(show) }
    },
  }),
  operation({
    id: 'createUpload',
    method: 'post',
    path: '/uploads',
    tag: 'Uploads',
    summary: 'Begin an upload as a program',
    description:
      'The limits of the route hold; its input and middleware are for clients and are not run, so this is for those who may write to all files of the route. The bytes follow by tus: create the upload at `url` with the ticket as `Upload-Ticket`, and with just this size (`Upload-Defer-Length: 1` if none was said), then send them to it. The ticket creates one upload, however often it is used; whoever has it may send the bytes.',
    asks: within('files.write'),
    body: z.strictObject({
      ...programUpload,
      size: z.int().min(0).optional().openapi({
        description: 'Bytes. Default: said when all of them have been sent.',
      }),
    }),
    answer: Begun,
    status: 201,
    codes: programUploadCodes,
    async handle(context) {
      const { api, principal, prefix } = context
      const upload = { ...asProgram(context, context.body), holder: principal.id }
      const { route, ticket, expiresAt } = await api.uploads.prepare(upload)
      return { url: `${prefix}/uploads/${route}`, ticket, expiresAt: iso(expiresAt) }
    },
  }),
  operation({
    id: 'getUpload',
    method: 'get',
    path: '/uploads/{id}',
    tag: 'Uploads',
    summary: 'Get an unfinished upload',
    asks: one(upload, 'uploads.read'),
    answer: Upload,
    handle: async ({ found }) => show(found),
  }),
  operation({
    id: 'cancelUpload',
    method: 'delete',
    path: '/uploads/{id}',
    tag: 'Uploads',
    summary: 'Cancel an unfinished upload',
    description:
      'Deletes what has arrived. A request that brings bytes ends within a second.',
    asks: one(upload, 'uploads.cancel'),
    answer: null,
    async handle({ api, found }) {
      // It may have been finished in between.
      if (!(await api.uploads.cancel(found.id))) throw missing(upload)
    },
  }),
]

function show(record: FileRecord): z.input<typeof Upload> {
  const { id, projectId, route, ownerId, filename, declaredType, size } = record
  const { offset, batchId } = record
  return {
    ...{ id, projectId, route, ownerId, filename, declaredType, size, offset, batchId },
    state: record.state === 'created' ? 'created' : 'receiving',
    createdAt: iso(record.createdAt),
    updatedAt: iso(record.updatedAt),
    expiresAt: iso(record.expiresAt),
  }
}
