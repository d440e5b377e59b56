/** What a server answered. */
export interface Answer {
  status: number
  /** Status line and headers as they came. */
  head: string
  body: string
}

/** Reads one whole HTTP/1.1 answer; `null` while `received` is not all of it. */
export function readAnswer(received: Buffer, toHead: boolean): Answer | null {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return null
  const head = received.toString('latin1', 0, end)
  const status = Number(head.slice(9, 12))
  const body = hasBody(status, toHead) ? readBody(head, received, end + 4) : ''
  return body === null ? null : { status, head, body }
}

/** The value of the header `name`; throws with the whole answer if it is missing. */
export function header(answer: Answer, name: string): string {
  const line = new RegExp(`^${name}: *(.*)$`, 'im').exec(answer.head)
  if (!line?.[1]) throw new Error(`No ${name} in: ${answer.head} ${answer.body}`)
  return line[1].trim()
}

/** The path of the Location header: one server sends an absolute URL, another a path. */
export function locationPath(answer: Answer): string {
  return new URL(header(answer, 'location'), 'http://localhost').pathname
}

/** Throws with all the server said unless it answered `status`. */
export function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer
  throw new Error(`Expected ${status}, got: ${answer.head}\n${answer.body}`)
}

function hasBody(status: number, toHead: boolean): boolean {
  return !toHead && status !== 204 && status !== 304
}

function readBody(head: string, received: Buffer, start: number): string | null {
  if (/^transfer-encoding: *chunked/im.test(head)) return readChunks(received, start)
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  if (received.length < start + length) return null
  return received.toString('utf8', start, start + length)
}

function readChunks(received: Buffer, start: number): string | null {
  let body = ''
  for (let at = start; ; ) {
    const lineEnd = received.indexOf('\r\n', at)
    if (lineEnd < 0) return null
    const size = Number.parseInt(received.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (received.length < next) return null
    if (size === 0) return body
    body += received.toString('utf8', lineEnd + 2, lineEnd + 2 + size)
    at = next
  }
}
