/**
 * Carcosa inside an Express 5 application: the users of the application, typed input,
 * middleware, a callback, and links that open a private file for a while.
 *
 *   npx node examples/express/server.ts
 *   npx node examples/client/upload.ts photo.jpg
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type CarcosaOptions, createCarcosa } from 'carcosa'
import express from 'express'
import { router } from './routes.ts'
import { sessionAuth, userOf } from './users.ts'

export async function start(port: number, options?: Partial<CarcosaOptions>) {
  const carcosa = await createCarcosa({
    router,
    auth: [sessionAuth],
    basePath: '/media',
    ...options,
  })

  const app = express()
  app.use('/media', carcosa.handler)
  app.use(express.json())

  app.get('/photos/:id/link', async (req, res) => {
    const photo = await carcosa.api.files.get(req.params.id)
    const user = userOf(req.headers.authorization)
    if (!photo || !user || photo.ownerId !== user) return res.sendStatus(404)
    res.json({ url: await carcosa.api.files.sign(photo.id, { expiresIn: '15m' }) })
  })

  // Node ends requests after five minutes; an upload may take longer.
  const server = createServer({ requestTimeout: 0 }, app)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { server, carcosa }
}

if (process.argv[1] === import.meta.filename) {
  const { server, carcosa } = await start(Number(process.env.PORT ?? 8080))
  console.log('Listening on', server.address())
  process.once('SIGTERM', async () => {
    server.close()
    server.closeAllConnections()
    await carcosa.close()
  })
}
