import { join } from 'node:path'
import type { Config } from '../../config.ts'

/** The database for a person to read: never its password, nor anything of the query. */
export function describeDatabase(location: string): string {
  if (location === 'memory://') return 'embedded, in memory: gone when the process ends'
  if (!isPostgres(location)) return `embedded, ${location}`
  const { hostname, port, pathname, searchParams } = new URL(location)
  const host = hostname || searchParams.get('host') || 'localhost'
  return `Postgres, ${host}${port && `:${port}`}${pathname}`
}

/** Whether other processes may use the database, too. */
export function isPostgres(location: string): boolean {
  return /^postgres(ql)?:\/\//.test(location)
}

/** Where bytes go, in one line. */
export function describeStores({ store, dataDir }: Config): string {
  if (store === undefined) return `local disk, ${join(dataDir, 'files')}`
  if (typeof store === 'string') return store
  if (typeof store.kind === 'string') return store.kind
  return Object.entries(store)
    .map(([name, one]) => `${name}: ${typeof one === 'string' ? one : one.kind}`)
    .join(', ')
}
