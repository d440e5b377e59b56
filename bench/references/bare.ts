import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { type Reference, uploadsPath } from './reference.ts'

/** `@tus/server` with `@tus/file-store`, every option at its default. */
export const bare: Reference = (directory) => {
  const server = new Server({
    path: uploadsPath,
    datastore: new FileStore({ directory }),
  })
  return (req, res) => server.handle(req, res)
}
