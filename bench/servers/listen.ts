import { createServer } from 'node:http'
import type { Handler } from '../references/reference.ts'

/**
 * Serves `handler` on 127.0.0.1, directly or from within Express 5, until SIGTERM. Leaves
 * by `process.exit`, so that `--cpu-prof` writes its profile.
 */
export async function listen(handler: Handler, place: Place): Promise<void> {
  const server = createServer(
    place.express ? await inExpress(handler, place.mount) : handler,
  )
  server.listen(place.port, '127.0.0.1')
  process.once('SIGTERM', () => process.exit(0))
}

/** Where a server listens, and whether Express is in between. */
export interface Place {
  port: number
  express: boolean
  /** The path under which Express mounts the handler; the handler sees the path without it. */
  mount: string
}

async function inExpress(handler: Handler, mount: string) {
  const { default: express } = await import('express')
  const app = express()
  app.use(mount, handler)
  return app
}
