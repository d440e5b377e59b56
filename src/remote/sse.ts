import type { WatchedEvent } from '../events/program.ts'

/** The server says something every 15 seconds. */
const longestSilence = 60_000

/**
 * The events of a stream. It ends when the connection does, for whatever reason, and when nothing
 * came for a minute, which `silent` tells the connection.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function* readFrames(
  body: ReadableStream<Uint8Array>,
  silent: AbortController,
): AsyncGenerator<WatchedEvent, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const timer = setTimeout(() => silent.abort(), longestSilence)
      // A connection that breaks is one that ended.
      const { value, done } = await reader
        .read()
        .catch(() => ({ value: undefined, done: true }))
        .finally(() => clearTimeout(timer))
      if (done) return
      const frames = (text + decoder.decode(value, { stream: true })).split('\n\n')
      text = frames.pop() ?? ''
      for (const frame of frames) {
        const event = eventIn(frame)
        if (event) yield event
      }
    }
  } finally {
    silent.abort()
    await reader.cancel().catch(() => undefined)
  }
}

/** Null for what is no event: a sign of life, or how long to wait. */
function eventIn(frame: string): WatchedEvent | null {
  const fields = frame.split('\n').map((line): [string, string] => {
    const at = line.indexOf(':')
    return [line.slice(0, at), line.slice(at + 1).replace(/^ /, '')]
  })
  const of = (name: string) => fields.filter(([one]) => one === name).map(([, is]) => is)
  const [type] = of('event')
  if (type === undefined) return null
  const [id] = of('id')
  const data = JSON.parse(of('data').join('\n'))
  return { id: id === undefined ? null : Number(id), type, data }
}
