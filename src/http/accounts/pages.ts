import type { AccountsConfig } from '../../shared/accounts.ts'
import type { Reply } from '../../shared/reply.ts'
import type { Located } from '../incoming.ts'

export function pageOf(_located: Located, _config: AccountsConfig): Reply | null {
  return null
}
