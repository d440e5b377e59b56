import type { IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { Broken, type Check, type Finding, ok, skipped } from '../check.ts'
import type { OpenRequest } from '../exchange.ts'
import { describe, expect, problemOf } from '../explain.ts'
import { begin } from '../patient.ts'
import { fitting } from '../sample.ts'
import { create, patch, routeOf } from '../tus.ts'

/** How long an event may be on its way, in milliseconds. */
const patience = 4_000
/** How long the greeting of a stream is listened to, in milliseconds. */
const greeting = 500

/** Whether events arrive when they happen. */
export const check: Check = {
  name: 'events',
  needs: ['vanish', 'errors', 'pause'],
  async run(patient) {
    const { sample } = routeOf(patient)
    const size = fitting(sample, 20_000)
    const upload = await create(patient, { size })
    const id = upload.url.pathname.split('/').at(-1)
    const sent = `GET /events?file=${id}`
    const open = begin(patient, 'GET', {
      to: `/events?file=${id}`,
      // As browsers ask.
      headers: {
        Accept: 'text/event-stream',
        'Accept-Encoding': 'gzip',
        ...upload.headers,
      },
    })
    open.end()
    try {
      const incoming = await headWithin(open)
      if (!incoming)
        throw new Broken({ sent, got: `nothing for ${patience / 1_000} s`, ...held })
      if (incoming.statusCode !== 200) {
        const answer = await open.answer
        const code = problemOf(answer)?.code
        if (code === 'NOT_FOUND') return skipped('this server has no /events')
        if (
          code === 'UNAUTHENTICATED' ||
          code === 'FORBIDDEN' ||
          code === 'FILE_NOT_FOUND'
        )
          return skipped(`these events need another credential: ${describe(answer)}`)
        expect(answer, [200], sent)
      }
      // What greets a subscriber is not an event: it may come along with the head.
      incoming.on('data', () => {})
      await wait(greeting, undefined, { signal: patient.signal })
      const heard = nextBytes(incoming)
      const body = sample.bytes(size).subarray(0, size - 1)
      await patch(patient, upload, { offset: 0, body })
      if (await heard) return ok('events arrive as they happen')
      throw new Broken({
        sent,
        got: `200, then nothing for ${patience / 1_000} s`,
        ...held,
      })
    } finally {
      open.cut()
    }
  },
}

const held: Pick<Finding, 'code' | 'message' | 'mend'> = {
  code: 'EVENTS_BUFFERED',
  message: 'The proxy collects what the server tells: events arrive late or never.',
  mend: {
    nginx:
      'proxy_buffering off; gzip off; proxy_http_version 1.1;  # and no proxy_ignore_headers X-Accel-Buffering',
    caddy: 'reverse_proxy { flush_interval -1 }',
    cloudflare: 'Cache Rules: bypass for /events; no compression for text/event-stream',
  },
}

function headWithin(open: OpenRequest): Promise<IncomingMessage | null> {
  return Promise.race([open.head, late()])
}

/** Whether anything comes in time. Takes the body away from `open.answer`. */
function nextBytes(incoming: IncomingMessage): Promise<boolean> {
  const came = new Promise<true>((resolve) => incoming.once('data', () => resolve(true)))
  return Promise.race([came, late().then(() => false)])
}

function late(): Promise<null> {
  return new Promise((resolve) => setTimeout(resolve, patience, null).unref())
}
