/**
 * The smallest server: one route that anybody may upload to, and what happens then.
 *
 *   npx node examples/minimal/server.ts
 *   npx carcosa upload README.md --route texts --to http://127.0.0.1:8080
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type CarcosaOptions, createCarcosa, createRouter, route } from 'carcosa'

const router = createRouter({
  texts: route({ text: { maxFileSize: '1MB', acl: 'public-read' } })
    .public()
    .onUploadComplete(({ file }) => {
      console.log(`${file.name} has arrived: ${file.size} bytes at ${file.url}`)
      return { characters: file.size }
    }),
})

export async function start(port: number, options?: Partial<CarcosaOptions>) {
  const carcosa = await createCarcosa({ router, ...options })
  // Node ends requests after five minutes; an upload may take longer.
  const server = createServer({ requestTimeout: 0 }, carcosa.handler)
  // With this a client that asks first (Expect: 100-continue) is refused before it sends.
  server.on('checkContinue', carcosa.checkContinue)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { server, carcosa }
}

if (process.argv[1] === import.meta.filename) {
  const { server } = await start(Number(process.env.PORT ?? 8080))
  console.log('Listening on', server.address())
}
