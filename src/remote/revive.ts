import { unintelligible } from './failure.ts'
import type { Json } from './transport.ts'

/** Which members of an answer are times. */
export type Times = readonly string[]

/** What the server answered, as programs have it: times are Dates. */
export function revive<Thing>(json: Json, times: Times): Thing {
  const dates = times.flatMap((name) => {
    const value = json[name]
    return typeof value === 'string' ? [[name, new Date(value)]] : []
  })
  // The server answers what its document says, and the types say the same.
  return { ...json, ...Object.fromEntries(dates) } as Thing
}

/** A page of a list: the member `name`, each of it revived. */
export function revivePage<Page>(json: Json, name: string, times: Times): Page {
  const rows = json[name]
  if (!Array.isArray(rows)) throw unintelligible(`it has no ${name}`)
  // As above.
  return { ...json, [name]: rows.map((row: Json) => revive(row, times)) } as Page
}
