import type { Operation } from '../rest/operation.ts'
import { apiKeys } from './api-keys.ts'
import { audit } from './audit.ts'
import { files } from './files.ts'
import { me } from './me.ts'
import { usage } from './usage.ts'

/** Everything that the REST API can do, in the order in which it is documented. */
export const operations: readonly Operation[] = [
  ...me,
  ...apiKeys,
  ...files,
  ...usage,
  ...audit,
]
