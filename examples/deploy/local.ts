/**
 * The topology of docker-compose.yml as processes, where no container engine is: Postgres, an
 * S3 server (versitygw or minio, if one is installed), two nodes, a worker, and nginx with the
 * nginx.conf beside this file. Needs the checkout with its dev dependencies.
 *
 *   node examples/deploy/local.ts
 *
 * With DATABASE_URL it takes that Postgres instead of its own. Ctrl-C ends all of it and
 * leaves nothing behind.
 */
import { once } from 'node:events'
import { startTopology } from '../../test/support/topology.ts'

const { DATABASE_URL } = process.env
const asked = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
const { url, token, parts, stop } = await startTopology({
  ...(DATABASE_URL && { database: DATABASE_URL }),
})
const header = `--header "Authorization: Bearer ${token}"`
console.log(`Carcosa is behind ${url}
  ${parts.join('\n  ')}

  npx carcosa doctor --to ${url} ${header}
  npx carcosa upload <file> --route files --to ${url} ${header}
`)
await asked
console.log('Stopping')
await stop()
process.exit()
