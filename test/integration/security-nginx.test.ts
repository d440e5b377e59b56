/** SEC-10: what is framed in two ways never becomes a second request behind the documented nginx. */
import { createServer } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nodeAt, startNginx } from '../support/nginx.ts'
import type { RunningProgram } from '../support/program.ts'
import { openRaw, requestHead } from '../support/raw-http.ts'
import { requires } from '../support/requirements.ts'
import { listen, startServer, type TestServer } from '../support/server.ts'

const framing = requires('nginx', suite('smuggling through the documented nginx'))
let server: TestServer
let nginx: RunningProgram
const seen: string[] = []
const front = createServer({ requestTimeout: 0 })

framing.before(async () => {
  server = await startServer()
  front.on('request', (request, response) => {
    seen.push(`${request.method} ${request.url}`)
    server.carcosa.handler(request, response)
  })
  front.on('clientError', (_, socket) => {
    seen.push('malformed')
    socket.destroy()
  })
  nginx = await startNginx([nodeAt(await listen(front))])
})
framing.after(async () => {
  await nginx.stop()
  front.closeAllConnections()
  front.close()
  await server.close()
})
framing.before.each(() => {
  seen.length = 0
})

const smuggled = 'DELETE /uploads/demo/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
const body = `0\r\n\r\n${smuggled}`
const bytes = { 'Content-Type': 'application/offset+octet-stream', 'Upload-Length': '5' }
const post = (headers: Record<string, string>) =>
  requestHead('POST', '/uploads/demo', { ...bytes, ...headers })

const rows: [title: string, request: string][] = [
  [
    'Content-Length and Transfer-Encoding',
    post({ 'Content-Length': `${body.length}`, 'Transfer-Encoding': 'chunked' }) + body,
  ],
  [
    'Transfer-Encoding and a short Content-Length',
    post({ 'Transfer-Encoding': 'chunked', 'Content-Length': '4' }) + body,
  ],
  [
    'Transfer-Encoding: chunked, identity',
    post({ 'Transfer-Encoding': 'chunked, identity' }) + body,
  ],
  [
    'Transfer-Encoding: xchunked',
    post({ 'Transfer-Encoding': 'xchunked', 'Content-Length': `${body.length}` }) + body,
  ],
  [
    'two lengths',
    post({ 'Content-Length': '5' }).replace(
      '\r\n\r\n',
      '\r\nContent-Length: 50\r\n\r\n',
    ) + body,
  ],
  [
    'a space in front of the colon',
    post({ 'Transfer-Encoding ': 'chunked', 'Content-Length': `${body.length}` }) + body,
  ],
  ['a length with a sign', post({ 'Content-Length': '+5' }) + body],
]

for (const [title, request] of rows) {
  framing(`${title}: refused and closed`, async () => {
    const raw = await openRaw(Number(new URL(nginx.endpoint).port))
    raw.write(request)
    const { status } = await raw.answer()
    assert.ok(status === 400 || status === 501, `${status}`)
    await raw.closed
    assert.not(
      seen.some((line) => line.includes('smuggled')),
      seen.join(),
    )
    assert.equal(seen, [])
  })
}

framing('a request framed in one way gets through', async () => {
  const raw = await openRaw(Number(new URL(nginx.endpoint).port))
  raw.write(post({ 'Content-Length': '5' }))
  raw.write('hello')
  assert.is((await raw.answer()).status, 201)
  raw.cut()
  assert.equal(seen, ['POST /uploads/demo'])
})

framing.run()
