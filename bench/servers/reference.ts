/** One reference as a server process: `node reference.ts '<JSON of Options>'`. */
import { type ReferenceName, references } from '../references/index.ts'
import { listen } from './listen.ts'

/** What a reference server is started with. */
export interface ReferenceOptions {
  reference: ReferenceName
  /** An existing directory, taken for the files alone. */
  directory: string
  port: number
  express: boolean
}

// The one argument was written by bench/support/variants.ts, which types it.
const options = JSON.parse(process.argv[2] ?? '') as ReferenceOptions
await listen(references[options.reference](options.directory), { ...options, mount: '/' })
