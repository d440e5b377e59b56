/**
 * Whether an object in a JSON text has a key twice. Parsers disagree on which one counts, so what
 * one of them has judged is not what another one reads.
 */
export function hasRepeatedKeys(json: string): boolean {
  const objects: (Set<string> | null)[] = []
  let previous = ''
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    if (token === '{') objects.push(new Set())
    else if (token === '[') objects.push(null)
    else if (token === '}' || token === ']') objects.pop()
    else if (token === ':') {
      const keys = objects.at(-1)
      const key: string = JSON.parse(previous)
      if (keys?.has(key)) return true
      keys?.add(key)
    }
    previous = token
  }
  return false
}
