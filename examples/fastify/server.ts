/**
 * Carcosa inside Fastify: the raw pair of Node, in a scope of its own in which nothing reads
 * bodies.
 *
 *   npx node examples/fastify/server.ts
 *   npx carcosa upload README.md --route notes --to http://127.0.0.1:8080/media
 */
import { type CarcosaOptions, createCarcosa, createRouter, route } from 'carcosa'
import Fastify from 'fastify'

const router = createRouter({
  notes: route({ text: { maxFileSize: '1MB' } })
    .public()
    .onUploadComplete(({ file }) => ({ noteId: file.id })),
})

export async function start(port: number, options?: Partial<CarcosaOptions>) {
  const carcosa = await createCarcosa({ router, basePath: '/media', ...options })
  const app = Fastify()

  app.register(
    async (scope) => {
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, _body, done) => done(null))
      scope.all('/*', (request, reply) => {
        reply.hijack()
        carcosa.handler(request.raw, reply.raw)
      })
    },
    { prefix: '/media' },
  )

  app.addHook('onClose', () => carcosa.close())
  await app.listen({ port, host: '127.0.0.1' })
  return app
}

if (process.argv[1] === import.meta.filename) {
  const app = await start(Number(process.env.PORT ?? 8080))
  console.log('Listening on', app.server.address())
}
