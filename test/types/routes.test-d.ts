import { z } from 'zod'
import type { Principal } from '../../src/auth/principal.ts'
import type { FileInfo, UploadedFile } from '../../src/routes/hooks.ts'
import type {
  RouteInput,
  RouteMetadata,
  RouteNames,
  RouteServerData,
} from '../../src/routes/infer.ts'
import { route } from '../../src/routes/route.ts'
import { createRouter, type Router } from '../../src/routes/router.ts'
import type { CarcosaError } from '../../src/shared/errors.ts'
import { type Equal, expectType } from './equal.ts'

/** What every hook is given, and what comes out at the client. */

const albums = z.object({ albumId: z.string(), width: z.coerce.number<string>() })

export const router = createRouter({
  plain: route(['image']),
  avatar: route({ image: { maxFileSize: '4MB', maxFileCount: 2 } })
    .input(albums)
    .middleware(({ principal, input, files, request }) => {
      expectType<Equal<typeof principal, Principal>>()
      expectType<Equal<typeof input, { albumId: string; width: number }>>()
      expectType<Equal<typeof files, readonly FileInfo[]>>()
      expectType<Equal<typeof request, Request>>()
      return { owner: principal.id, at: new Date(), skipped: () => 1 }
    })
    .store(({ principal, input, metadata, file, route }) => {
      expectType<Equal<typeof principal, Principal>>()
      expectType<Equal<typeof input, { albumId: string; width: number }>>()
      expectType<Equal<typeof metadata, { owner: string; at: string }>>()
      expectType<Equal<typeof file, FileInfo>>()
      return route
    })
    .onUploadError(({ error, file, metadata }) => {
      expectType<Equal<typeof error, CarcosaError>>()
      expectType<Equal<typeof file, FileInfo & { readonly id: string }>>()
      expectType<Equal<typeof metadata, { owner: string; at: string }>>()
    })
    .onUploadComplete(({ file, metadata, input, principalId, idempotencyKey }) => {
      expectType<Equal<typeof file, UploadedFile>>()
      expectType<Equal<typeof metadata, { owner: string; at: string }>>()
      expectType<Equal<typeof input, { albumId: string; width: number }>>()
      expectType<Equal<typeof principalId, string | null>>()
      expectType<Equal<typeof idempotencyKey, string>>()
      return { url: file.url, at: new Date(), maybe: undefined as string | undefined }
    }),
  dated: route(['pdf'])
    .input(z.object({ day: z.coerce.date<string>() }))
    .middleware(({ input }) => {
      expectType<Equal<typeof input, { day: Date }>>()
    })
    .onUploadComplete(({ input, metadata }) => {
      expectType<Equal<typeof input, { day: string }>>()
      expectType<Equal<typeof metadata, Record<string, never>>>()
    }),
  later: route(['video'], { awaitServerData: false, ticketTTL: '2h' })
    .middleware(async () => ({ n: 1 }))
    .onUploadComplete(async () => ({ never: 'seen' })),
  open: route(['blob'], { awaitServerData: true })
    .public()
    .input(z.object({ note: z.string() }).optional())
    .middleware(({ principal, input }) => {
      expectType<Equal<typeof principal, Principal | null>>()
      expectType<Equal<typeof input, { note: string } | undefined>>()
      return { by: principal?.id ?? null }
    })
    .onUploadComplete(({ metadata }) => (metadata.by ? { by: metadata.by } : undefined)),
  bare: route(['text'])
    .middleware(({ input }) => {
      expectType<Equal<typeof input, undefined>>()
      return { a: 1 }
    })
    .onUploadComplete(() => 'text'),
})

type R = typeof router

expectType<
  Equal<RouteNames<R>, 'plain' | 'avatar' | 'dated' | 'later' | 'open' | 'bare'>
>()

expectType<Equal<RouteInput<R, 'plain'>, undefined>>()
expectType<Equal<RouteInput<R, 'avatar'>, { albumId: string; width: string }>>()
expectType<Equal<RouteInput<R, 'dated'>, { day: string }>>()
expectType<Equal<RouteInput<R, 'open'>, { note: string } | undefined>>()
expectType<Equal<RouteInput<R, 'later'>, undefined>>()

expectType<Equal<RouteMetadata<R, 'plain'>, Record<string, never>>>()
expectType<Equal<RouteMetadata<R, 'avatar'>, { owner: string; at: string }>>()
expectType<Equal<RouteMetadata<R, 'dated'>, Record<string, never>>>()
expectType<Equal<RouteMetadata<R, 'later'>, { n: number }>>()
expectType<Equal<RouteMetadata<R, 'open'>, { by: string | null }>>()

expectType<Equal<RouteServerData<R, 'plain'>, null>>()
expectType<
  Equal<
    RouteServerData<R, 'avatar'>,
    { url: string; at: string; maybe: string | undefined }
  >
>()
expectType<Equal<RouteServerData<R, 'dated'>, null>>()
expectType<Equal<RouteServerData<R, 'later'>, null>>()
expectType<Equal<RouteServerData<R, 'open'>, { by: string } | null>>()
expectType<Equal<RouteServerData<R, 'bare'>, string>>()

/** A router of known routes is a router; its names stay known. */
export const anyRouter = router satisfies Router
expectType<Equal<typeof router.routes.avatar.name, string>>()
// @ts-expect-error there is no such route
router.routes.nobody
// @ts-expect-error there is no such route
export type Nobody = RouteInput<R, 'nobody'>

/** Whether the client waits may only be known while running. */
export const perhaps = createRouter({
  a: route(['image'], { awaitServerData: Math.random() > 0.5 }).onUploadComplete(() => 1),
})
expectType<Equal<RouteServerData<typeof perhaps, 'a'>, number | null>>()
