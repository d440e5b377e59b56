import { z } from '@hono/zod-openapi'
import { CarcosaError, type ErrorCode } from '../../shared/errors.ts'
import type { RestContext } from './operation.ts'
import { text } from './schemas.ts'

/** Uploads by programs through the REST API: what they may say, and who may. */

export const givenLabels = {
  filename: text(4096),
  acl: z.enum(['private', 'public-read']),
  tags: z.array(text(100)).max(32),
  customId: text(256),
}

/** What a program says of a file that it uploads. */
export const programUpload = {
  route: text(256),
  filename: givenLabels.filename.optional(),
  type: text(128).optional(),
  customId: givenLabels.customId.optional(),
  tags: givenLabels.tags.optional(),
  acl: givenLabels.acl.optional(),
  contentDisposition: z.enum(['inline', 'attachment']).optional(),
  ownerId: text(256).nullable().optional().openapi({
    description: 'Whose file it is; null for nobody’s. Default yours.',
  }),
  metadata: z.record(z.string(), z.unknown()).optional().openapi({
    description: 'What the middleware of the route would have returned.',
  }),
  input: z.unknown().optional().openapi({
    description: 'What the callback of the route is given as the input of a client.',
  }),
}

/** What such an upload may be refused with, beside what any operation may. */
export const programUploadCodes: readonly ErrorCode[] = [
  ...(['ROUTE_NOT_FOUND', 'ROUTE_DISABLED', 'FILE_TOO_LARGE', 'FILE_TOO_SMALL'] as const),
  ...(['TYPE_NOT_ALLOWED', 'CUSTOM_ID_TAKEN', 'QUOTA_EXCEEDED'] as const),
]

type Said = { route: string; ownerId?: string | null | undefined }

/**
 * What the API is told of such an upload. It takes `files.write` to all files of the route, which is
 * more than `within('files.write')` asks for, and `uploads.create`.
 * @throws {CarcosaError} FORBIDDEN
 */
export function asProgram<Upload extends Said>(
  { access, principal, projectId, isPublicRoute }: RestContext,
  { ownerId = principal.id, ...upload }: Upload,
) {
  const { route } = upload
  const resource = { projectId, route, isPublicRoute: isPublicRoute(route) }
  for (const action of ['files.write', 'uploads.create'] as const) {
    const decision = access.can(principal, action, resource)
    if (decision.allowed) continue
    throw new CarcosaError('FORBIDDEN', {
      message: `This takes the permission ${action} on the route.`,
      ...access.explain(decision),
    })
  }
  return { ...upload, projectId, ...(ownerId !== null && { ownerId }) }
}
