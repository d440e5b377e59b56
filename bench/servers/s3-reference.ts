/** One reference of uploads to S3 as a server process: `node s3-reference.ts '<JSON of S3ReferenceOptions>'`. */
import { type S3ReferenceName, s3References } from '../references/s3/index.ts'
import { listen } from './listen.ts'

/** What a reference server of S3 is started with. */
export interface S3ReferenceOptions {
  reference: S3ReferenceName
  /** The URL of the backend. */
  endpoint: string
  port: number
}

// The one argument was written by bench/support/variants.ts, which types it.
const options = JSON.parse(process.argv[2] ?? '') as S3ReferenceOptions
const handler = await s3References[options.reference](options.endpoint)
await listen(handler, { ...options, express: false, mount: '/' })
