/** The database for a person to read: never its password, nor anything of the query. */
export function describeDatabase(location: string): string {
  if (location === 'memory://') return 'embedded, in memory: gone when the process ends'
  if (!/^postgres(ql)?:\/\//.test(location)) return `embedded, ${location}`
  const { hostname, port, pathname, searchParams } = new URL(location)
  const host = hostname || searchParams.get('host') || 'localhost'
  return `Postgres, ${host}${port && `:${port}`}${pathname}`
}
