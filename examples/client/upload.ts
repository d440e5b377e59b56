/**
 * The typed client, here in Node; in a browser it takes the files of an <input type="file">.
 * Route names, input and the answer are checked against the router of examples/express.
 *
 *   npx node examples/express/server.ts
 *   npx node examples/client/upload.ts photo.jpg
 */
import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import { createClient } from 'carcosa/client'
import type { Router } from '../express/routes.ts'

export async function addToAlbum(url: string, session: string, paths: string[]) {
  const client = createClient<Router>({
    url,
    headers: { Authorization: `Bearer ${session}` },
  })
  const photos = await Promise.all(paths.map(fileAt))
  const { files } = await client.upload('photo', photos, {
    input: { albumId: 'hali' },
    onProgress: ({ fraction }) => console.log(`${Math.floor(fraction * 100)} %`),
  })
  return files.map(({ serverData }) => serverData.photoId)
}

/** Opens a file without reading it. */
async function fileAt(path: string): Promise<File> {
  return new File([await openAsBlob(path)], basename(path))
}

if (process.argv[1] === import.meta.filename) {
  const url = process.env.URL ?? 'http://127.0.0.1:8080/media'
  console.log(await addToAlbum(url, 'session-of-cassilda', process.argv.slice(2)))
}
