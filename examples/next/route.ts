/**
 * Carcosa where handlers take a Request and return a Response. In a Next.js application this
 * is app/media/[...path]/route.ts; Hono, Remix and others take the same function:
 * `app.all('/media/*', ({ req }) => carcosa.fetch(req.raw))`.
 *
 * Needs a Node server that keeps running, with a disk: no edge or serverless functions.
 */
import { getCarcosa } from './carcosa.ts'

async function handler(request: Request): Promise<Response> {
  const carcosa = await getCarcosa()
  return carcosa.fetch(request)
}

export {
  handler as DELETE,
  handler as GET,
  handler as HEAD,
  handler as OPTIONS,
  handler as PATCH,
  handler as POST,
}
