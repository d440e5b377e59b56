/**
 * One Carcosa for the whole process: lib/carcosa.ts of a Next.js application. It starts with
 * the first request, so that a build does not open the database, and is kept on globalThis,
 * because a development server loads this module again after every change.
 */
import { type Carcosa, createCarcosa, createRouter, route } from 'carcosa'

const router = createRouter({
  avatar: route({ image: { maxFileSize: '2MB', acl: 'public-read' } })
    .public()
    .onUploadComplete(({ file }) => ({ url: file.url })),
})

export type Router = typeof router

const kept = globalThis as { carcosa?: Promise<Carcosa> }

export function getCarcosa(): Promise<Carcosa> {
  kept.carcosa ??= createCarcosa({ router, basePath: '/media' })
  return kept.carcosa
}
