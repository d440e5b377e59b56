import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { offsetStream } from './records.ts'

/** Sends all bytes of an upload in pieces, with a pause before each. */
export async function slowPatch(
  port: number,
  path: string,
  { size, pieces, everyMs }: { size: number; pieces: number; everyMs: number },
): Promise<void> {
  const headers = {
    'Tus-Resumable': '1.0.0',
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': size,
  }
  const asked = request({ host: '127.0.0.1', port, path, method: 'PATCH', headers })
  const answered = once(asked, 'response')
  for (let i = 0; i < pieces; i++) {
    await sleep(everyMs)
    asked.write(Buffer.alloc(size / pieces, i))
  }
  asked.end()
  const [response] = await answered
  response.resume()
  assert.is(response.statusCode, 204)
}
