import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { receive } from '../receive.ts'
import type { S3Reference } from '../reference.ts'
import { bucket } from './client-config.ts'

/** The least a server can do: the body is piped into one PUT, unsigned, as it comes. */
export const relay: S3Reference = (endpoint) => {
  const agent = new Agent({ keepAlive: true })
  return receive(`/${bucket}`, async (req, path) => {
    const put = request(new URL(path, endpoint), {
      method: 'PUT',
      agent,
      headers: { 'content-length': req.headers['content-length'] },
    })
    const answered = once(put, 'response')
    await Promise.all([pipeline(req, put), answered])
    const [answer] = (await answered) as [IncomingMessage]
    answer.resume()
    if (answer.statusCode !== 200) throw new Error(`The PUT got ${answer.statusCode}`)
  })
}
