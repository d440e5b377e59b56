import { z } from '@hono/zod-openapi'
import type { SignOptions } from '../../api/files.ts'
import type { Action } from '../../auth/roles.ts'
import { type FileRecord, fileStates } from '../../files/record.ts'
import { CarcosaError } from '../../shared/errors.ts'
import { atOnce, each } from '../../shared/many.ts'
import { type Noun, one, within } from '../rest/asks.ts'
import { type Operation, operation, type RestContext } from '../rest/operation.ts'
import { givenTime, iso, page, pageQuery, text, time } from '../rest/schemas.ts'
import {
  asProgram,
  givenLabels,
  programUpload,
  programUploadCodes,
} from '../rest/uploading.ts'

const File = z
  .object({
    id: z.string(),
    projectId: z.string(),
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
    customId: z.string().nullable().openapi({
      description: 'What the application calls it; of one file of the project at a time.',
    }),
    tags: z.array(z.string()),
    revision: z.int().openapi({ description: 'Grows with every change of what may be.' }),
    failure: z.object({ code: z.string(), message: z.string() }).nullable(),
    createdAt: time,
    updatedAt: time,
    storedAt: time.nullable(),
    readyAt: time.nullable(),
    purgeAfter: time.nullable().openapi({
      description:
        'Until when a deleted file can be restored, or a failed one keeps its bytes; null if it cannot.',
    }),
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

/** By what the application calls it. */
const fileByCustomId: typeof file = {
  ...file,
  find: ({ api, projectId }, customId) => api.files.get({ customId, projectId }),
}

/** Also one that was deleted. */
const deletedFile: typeof file = {
  ...file,
  async find({ api, projectId }, id) {
    const found = await api.files.get(id)
    return found?.projectId === projectId ? found : null
  },
}

const { filename, acl, tags, customId } = givenLabels
const ids = z.array(text(256)).min(1).max(500)
const signing = {
  expiresIn: z.int().min(1).max(604_800).default(3_600).openapi({
    description: 'Seconds. The server may allow less than seven days.',
  }),
  disposition: z.enum(['inline', 'attachment']).optional(),
}

/** Files, finished or not. */
export const files: readonly Operation[] = [
  operation({
    id: 'listFiles',
    method: 'get',
    path: '/files',
    tag: 'Files',
    summary: 'List files',
    description:
      'Newest first, or in the order of names with `prefix`. Whoever may read only their own files is listed those.',
    asks: within('files.read'),
    query: {
      route: text(256).optional(),
      owner: text(256).optional(),
      state: z
        .union([z.enum(fileStates), z.array(z.enum(fileStates)).max(20)])
        .optional()
        .openapi({
          description:
            'Repeated: any of them. Default: what can be read (`stored`, `processing`, `ready`).',
        }),
      type: z
        .string()
        .max(128)
        .regex(/^[^\s/*]+\/(\*|[^\s/*]+)$/)
        .refine((type) => type.isWellFormed() && !type.includes('\0'))
        .optional()
        .openapi({ description: 'A media type, or all of a kind: `image/*`.' }),
      tag: text(100).optional(),
      prefix: text(200)
        .optional()
        .openapi({ description: 'How the name begins, case by case.' }),
      customId: customId.optional(),
      createdAfter: givenTime.optional(),
      createdBefore: givenTime.optional(),
      ...pageQuery,
    },
    answer: page('files', File).openapi('FilePage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, projectId, reach, query }) {
      const { owner, state, ...others } = query
      const states = state && [state].flat()
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
    description: 'At most 500. What may not be deleted, or is not there, is left out.',
    asks: within('files.delete'),
    body: z.strictObject({ ids }),
    answer: z.object({ deleted: z.array(z.string()) }).openapi('DeletedFiles'),
    async handle(context) {
      const { api, body } = context
      const found = await findAllowed(context, [...new Set(body.ids)], 'files.delete')
      const mine = found.filter((id) => id !== null)
      const outcomes = await api.files.deleteMany(mine)
      return { deleted: mine.filter((_, i) => outcomes[i]?.deleted) }
    },
  }),
  operation({
    id: 'signFiles',
    method: 'post',
    path: '/files/sign',
    tag: 'Files',
    summary: 'Make URLs that open files for a while',
    description:
      'Of at most 500, in their order. For what cannot be read, or is not for you, there is null.',
    asks: within('files.sign'),
    body: z.strictObject({ ids, ...signing }),
    answer: z.object({ urls: z.array(z.string().nullable()) }).openapi('SignedUrls'),
    async handle(context) {
      const { api, body, prefix } = context
      const found = await findAllowed(context, body.ids, 'files.sign')
      const urls = await api.files.signMany(
        // What is no id is the id of nothing.
        found.map((id) => id ?? ''),
        readSigning(context, body),
        prefix,
      )
      return { urls }
    },
  }),
  operation({
    id: 'uploadFileFromUrl',
    method: 'post',
    path: '/files/from-url',
    tag: 'Files',
    summary: 'Upload what a URL answers',
    description:
      'Under the limits of the route; its input and middleware are for clients and are not run, so this is for those who may write to all files of the route. The URL leads to the public internet, or to networks that the server was told.',
    asks: within('files.write'),
    body: z.strictObject({
      url: text(8_192).openapi({ format: 'uri' }),
      ...programUpload,
    }),
    answer: File,
    status: 201,
    codes: ['SOURCE_INVALID', 'SOURCE_UNAVAILABLE', ...programUploadCodes],
    async handle(context) {
      const { url, ...upload } = context.body
      const given = asProgram(context, upload)
      return show(await context.api.files.uploadFromUrl(url, given))
    },
  }),
  operation({
    id: 'getFileByCustomId',
    method: 'get',
    path: '/files/by-custom-id/{id}',
    tag: 'Files',
    summary: 'Get a file by its custom id',
    description: 'Of one that has not ended.',
    asks: one(fileByCustomId, 'files.read'),
    answer: File,
    handle: async ({ found }) => show(found),
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
    summary: 'Change name, tags, acl or custom id of a file',
    description:
      "What is left out stays as it is. The acl of an upload is its route's to say until it is complete.",
    asks: one(file, 'files.write'),
    body: z.strictObject({
      filename: filename.optional(),
      tags: tags.optional(),
      acl: acl.optional(),
      customId: customId.nullable().optional(),
    }),
    answer: File,
    codes: ['CUSTOM_ID_TAKEN', 'UPLOAD_INCOMPLETE'],
    async handle({ api, found, body, isConditional }) {
      const condition = isConditional ? { ifMatch: found.revision } : {}
      const { filename, ...others } = body
      // A change of the name alone is told as that.
      const isRename = filename !== undefined && Object.keys(others).length === 0
      if (isRename) return show(await api.files.rename(found.id, filename, condition))
      return show(await api.files.update(found.id, body, condition))
    },
  }),
  operation({
    id: 'deleteFile',
    method: 'delete',
    path: '/files/{id}',
    tag: 'Files',
    summary: 'Delete a file',
    description: 'Where the server keeps deleted files for a while, it can be restored.',
    asks: one(file, 'files.delete'),
    answer: null,
    async handle({ api, found, isConditional }) {
      const condition = isConditional ? { ifMatch: found.revision } : {}
      await api.files.delete(found.id, condition)
    },
  }),
  operation({
    id: 'restoreFile',
    method: 'post',
    path: '/files/{id}/restore',
    tag: 'Files',
    summary: 'Bring back a file that was deleted',
    description:
      'While its bytes are kept. `customId` gives it another, for where its own was taken meanwhile.',
    asks: one(deletedFile, 'files.delete'),
    body: z.strictObject({ customId: customId.nullable().optional() }),
    answer: File,
    codes: ['RESTORE_TOO_LATE', 'CUSTOM_ID_TAKEN', 'QUOTA_EXCEEDED'],
    handle: async ({ api, found, body }) => show(await api.files.restore(found.id, body)),
  }),
  operation({
    id: 'signFile',
    method: 'post',
    path: '/files/{id}/sign',
    tag: 'Files',
    summary: 'Make a URL that opens a file for a while',
    asks: one(file, 'files.sign'),
    body: z.strictObject(signing),
    answer: z.object({ url: z.string() }).openapi('SignedUrl'),
    async handle(context) {
      const { api, found, body, prefix } = context
      return { url: await api.files.sign(found.id, readSigning(context, body), prefix) }
    },
  }),
]

/** For each of `ids` the id of the file if one may do `action` to it, else null. */
async function findAllowed(
  context: RestContext,
  ids: readonly string[],
  action: Action,
): Promise<(string | null)[]> {
  const found = await each(ids, atOnce, (id) => file.find(context, id))
  return found.map((one) => {
    if (one instanceof CarcosaError) throw one
    const resource = one && file.resourceOf(one, context)
    if (!resource) return null
    return context.access.can(context.principal, action, resource).allowed ? one.id : null
  })
}

interface Signing {
  expiresIn: number
  disposition?: 'inline' | 'attachment' | undefined
}

/** @throws {CarcosaError} BAD_REQUEST */
function readSigning(
  { settings }: RestContext,
  { expiresIn: seconds, disposition }: Signing,
): SignOptions {
  const expiresIn = seconds * 1_000
  if (expiresIn > settings.maxSignedUrlAge) throw tooLong(settings.maxSignedUrlAge)
  return { expiresIn, disposition: disposition ?? null }
}

function tooLong(maxAge: number): CarcosaError {
  return new CarcosaError('BAD_REQUEST', {
    message: `A URL may be signed for at most ${Math.floor(maxAge / 1_000)} seconds here.`,
    details: { maxSeconds: Math.floor(maxAge / 1_000) },
  })
}

function show(record: FileRecord): z.input<typeof File> {
  const { id, projectId, route, ownerId, state, filename, contentType } = record
  const {
    contentDisposition,
    acl,
    size,
    sha256,
    batchId,
    failure,
    customId,
    tags,
    revision,
  } = record
  return {
    ...{ id, projectId, route, ownerId, state, filename, contentType },
    ...{ contentDisposition, acl, size, sha256, batchId, failure, customId, revision },
    tags: [...tags],
    createdAt: iso(record.createdAt),
    updatedAt: iso(record.updatedAt),
    storedAt: iso(record.storedAt),
    readyAt: iso(record.readyAt),
    purgeAfter: iso(record.purgeAfter),
  }
}
