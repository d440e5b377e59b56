/**
 * Two stores: photos in a bucket, which also sends them to readers; papers on a disk that is
 * synced, with a copy in the bucket.
 *
 *   AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… npx node examples/stores/server.ts
 *
 * A service other than AWS is named by AWS_ENDPOINT_URL_S3, or by `endpoint`.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type CarcosaOptions, createCarcosa, createRouter, route } from 'carcosa'
import { file } from 'carcosa/stores/file'
import { s3 } from 'carcosa/stores/s3'

const router = createRouter({
  photos: route({ image: { maxFileSize: '20MB', acl: 'public-read' } })
    .public()
    .serve('redirect'),
  papers: route({ text: { maxFileSize: '1GB', acl: 'public-read' } })
    .public()
    .store('archive')
    .mirror('media'),
})

const storesIn = (directory: string) => ({
  media: s3({ bucket: 'media', region: 'eu-central-1', prefix: 'uploads/' }),
  archive: file({ directory, durability: 'disk' }),
})

export async function start(port: number, options?: Partial<CarcosaOptions>) {
  const store = storesIn(join(options?.dataDir ?? '.', 'archive'))
  const carcosa = await createCarcosa({ router, store, ...options })
  const server = createServer({ requestTimeout: 0 }, carcosa.handler)
  server.on('checkContinue', carcosa.checkContinue)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { server, carcosa }
}

if (process.argv[1] === import.meta.filename) {
  const { server } = await start(Number(process.env.PORT ?? 8080))
  console.log('Listening on', server.address())
}
