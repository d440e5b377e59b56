const prefix = 'carcosa:upload:'

/**
 * Makes the upload `key` this tab's business until the returned function is called or the
 * tab is gone; null if it is another tab's. Two tabs that send into one upload would only
 * get in each other's way.
 */
export function claim(key: string): Promise<(() => void) | null> {
  // Pages from http on other machines have no locks; there the server settles it.
  if (!navigator.locks) return Promise.resolve(() => {})
  return new Promise((resolve, reject) => {
    const hold = (lock: Lock | null) => {
      if (!lock) return resolve(null)
      return new Promise<void>((release) => resolve(release))
    }
    navigator.locks.request(prefix + key, { ifAvailable: true }, hold).catch(reject)
  })
}

/** The keys that some tab has claimed, this one included. */
export async function claimed(): Promise<Set<string>> {
  const { held = [] } = (await navigator.locks?.query()) ?? {}
  const names = held.map((lock) => lock.name ?? '')
  return new Set(
    names.filter((name) => name.startsWith(prefix)).map((n) => n.slice(prefix.length)),
  )
}
