/** Carcosa as a server process: `node carcosa.ts '<JSON of CarcosaOptions>'`. */
import { createCarcosa } from '../../src/carcosa.ts'
import { route } from '../../src/routes/route.ts'
import { createRouter } from '../../src/routes/router.ts'
import { file } from '../../stores/file.ts'
import { listen } from './listen.ts'

/** What Carcosa is started with. */
export interface CarcosaOptions {
  /** An existing directory for files, secret and the embedded database. */
  directory: string
  port: number
  express: boolean
  mount: string
  digest: 'sha-256' | 'none'
  /** Whether the route has an onUploadComplete, which costs it more states and a job. */
  callback: boolean
  /** A postgres:// URL; null for the embedded database below `directory`. */
  database: string | null
}

// The one argument was written by bench/support/variants.ts, which types it.
const options = JSON.parse(process.argv[2] ?? '') as CarcosaOptions

const any = route({ blob: { maxFileSize: '5GiB', acl: 'public-read' } }).public()
const router = createRouter({
  any: options.callback ? any.onUploadComplete(({ file }) => ({ id: file.id })) : any,
})
const carcosa = await createCarcosa({
  router,
  store: file({ directory: `${options.directory}/files` }),
  database: options.database ?? `${options.directory}/db`,
  dataDir: options.directory,
  digest: options.digest,
})
await listen(carcosa.handler, options)
