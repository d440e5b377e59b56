/** What may be uploaded to this server, by whom, and what happens then. */
import { CarcosaError, createRouter, route } from 'carcosa'
import { z } from 'zod'
import { mayAddTo } from './users.ts'

export const router = createRouter({
  photo: route({ image: { maxFileSize: '8MB', maxFileCount: 10 } })
    .input(z.object({ albumId: z.string() }))
    .middleware(({ principal, input }) => {
      if (!mayAddTo(input.albumId, principal.id)) {
        throw new CarcosaError('FORBIDDEN', { message: 'This album is not yours.' })
      }
      return { albumId: input.albumId, ownerId: principal.id }
    })
    .onUploadComplete(({ file, metadata }) => {
      console.log(`${metadata.ownerId} added ${file.name} to ${metadata.albumId}`)
      return { photoId: file.id, albumId: metadata.albumId }
    }),
})

/** All a client needs to know; only a type, so no code of the server reaches it. */
export type Router = typeof router
