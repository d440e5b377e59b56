/** `carcosa doctor` behind a real Caddy, as documented and as it should not be. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startCaddy } from '../support/caddy.ts'
import { examine } from '../support/doctor.ts'
import { nodeAt } from '../support/nginx.ts'
import { requires } from '../support/requirements.ts'
import { startServer, type TestServer } from '../support/server.ts'

const doctor = requires('caddy', suite('carcosa doctor behind Caddy'))
let server: TestServer

doctor.before(async () => {
  server = await startServer()
})
doctor.after(() => server.close())

async function behind(change?: (text: string) => string) {
  const caddy = await startCaddy([nodeAt(server.port)], change)
  try {
    return await examine(caddy.endpoint, '--route', 'demo')
  } finally {
    await caddy.stop()
  }
}

doctor('finds nothing with the documented Caddyfile', async () => {
  const { code, wrong } = await behind()
  assert.equal(wrong, [])
  assert.is(code, 0)
})

const site = (lines: string) => (text: string) =>
  text.replace('\treverse_proxy node-1', `\t${lines}\n\treverse_proxy node-1`)
const proxy = (lines: string) => (text: string) =>
  text.replace('flush_interval -1', `flush_interval -1\n\t\t${lines}`)

const rows: [
  title: string,
  change: (text: string) => string,
  code: string,
  mend: RegExp,
][] = [
  [
    'bodies may have 1 MB',
    site('request_body {\n\t\tmax_size 1MB\n\t}'),
    'BODY_LIMIT',
    /max_size/,
  ],
  [
    'a node is blamed for its clients',
    proxy('fail_duration 5s'),
    'COUNTED_OUT',
    /remove fail_duration/,
  ],
  [
    'bodies are collected',
    proxy('buffer_requests'),
    'REQUEST_BUFFERED',
    /request_buffers/,
  ],
  [
    'a body may not pause',
    (text) => text.replace('read_body 0', 'read_body 500ms'),
    'BODY_TIMEOUT',
    /read_body 0/,
  ],
  [
    'an answer may not take long',
    proxy('transport http {\n\t\t\tresponse_header_timeout 500ms\n\t\t}'),
    'ANSWER_TIMEOUT',
    /response_header_timeout 120s/,
  ],
  [
    'headers may have 4 KB',
    (text) => text.replace('max_header_size 32KB', 'max_header_size 2KB'),
    'HEADER_LIMIT',
    /max_header_size 32KB/,
  ],
  [
    'everything is compressed',
    site('encode gzip {\n\t\tmatch status 200\n\t}'),
    'COMPRESSED',
    /encode/,
  ],
  [
    'a header is taken away',
    proxy('header_up -Upload-Offset'),
    'HEADER_LOST',
    /header_up -Upload-Offset/,
  ],
  [
    'a header is hidden',
    proxy('header_down -Upload-Offset'),
    'HEADER_HIDDEN',
    /header_down -Upload-Offset/,
  ],
  [
    'a second CORS header is added',
    proxy('header_down +Access-Control-Allow-Origin *'),
    'CORS_DOUBLED',
    /header Access-Control-Allow-Origin/,
  ],
  [
    'PATCH is blocked',
    site('@patch method PATCH\n\trespond @patch 405'),
    'METHOD_BLOCKED',
    /PATCH/,
  ],
]

for (const [title, change, code, mend] of rows) {
  doctor(`says what to do where ${title}`, async () => {
    const { wrong } = await behind(change)
    const told = wrong
      .map(({ check, code: is, got }) => `${check} ${is}: ${got}`)
      .join('\n')
    assert.ok(wrong.length > 0)
    for (const finding of wrong) assert.is(finding.code, code, told)
    assert.match(wrong[0]?.mend?.caddy ?? '', mend)
  })
}

doctor.run()
