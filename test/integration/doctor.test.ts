/** `carcosa doctor` behind a real nginx that does everything wrong, one thing at a time. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { examine } from '../support/doctor.ts'
import { type Directives, nodeAt, startNginx } from '../support/nginx.ts'
import { requires } from '../support/requirements.ts'
import { startServer, type TestServer } from '../support/server.ts'

const doctor = requires('nginx', suite('carcosa doctor behind nginx'))
let server: TestServer

doctor.before(async () => {
  server = await startServer()
})
doctor.after(() => server.close())

/** Rows of files that somebody would have to clean up. */
async function left(): Promise<number> {
  const rows = await server.uploads.db.query<{ id: string }>({
    name: 'left_behind',
    sql: `SELECT id FROM carcosa.file WHERE state <> 'removed'`,
  })
  return rows.length
}

async function behind(directives: Directives, ...args: string[]) {
  const nginx = await startNginx([nodeAt(server.port)], directives)
  try {
    return await examine(nginx.endpoint, '--route', 'demo', ...args)
  } finally {
    await nginx.stop()
  }
}

doctor('finds nothing with the documented configuration', async () => {
  const { code, wrong, report } = await behind({})
  assert.equal(wrong, [])
  assert.is(code, 0)
  const fine = report.findings.filter(({ level }) => level === 'ok')
  assert.ok(fine.length > 20, JSON.stringify(report.findings))
  assert.is(await left(), 0)
})

type Row = [
  title: string,
  directives: Directives,
  code: string,
  mend: RegExp,
  level?: 'warning',
]

const rows: Row[] = [
  [
    'bodies may have 1 MB, as by default',
    { server: '-client_max_body_size;' },
    'BODY_LIMIT',
    /client_max_body_size 0;/,
  ],
  [
    'bodies may have 100 KB',
    { server: 'client_max_body_size 100k;' },
    'BODY_LIMIT',
    /client_max_body_size 0;/,
  ],
  [
    'bodies are collected, as by default',
    { location: '-proxy_request_buffering;' },
    'REQUEST_BUFFERED',
    /proxy_request_buffering off;/,
  ],
  [
    'HTTP/1.0 is spoken to the server, as by default',
    { location: '-proxy_http_version;' },
    'CHUNKS_BUFFERED',
    /proxy_http_version 1.1;/,
    'warning',
  ],
  [
    'a body may not pause',
    { server: 'client_body_timeout 500ms;' },
    'BODY_TIMEOUT',
    /client_body_timeout 75s;/,
  ],
  [
    'an answer may not take long',
    { location: 'proxy_read_timeout 500ms;' },
    'ANSWER_TIMEOUT',
    /proxy_read_timeout 120s;/,
  ],
  [
    'headers may have 8 KB, as by default',
    { server: '-large_client_header_buffers;' },
    'HEADER_LIMIT',
    /large_client_header_buffers 4 16k;/,
    'warning',
  ],
  [
    'headers may have 2 KB',
    { server: 'large_client_header_buffers 4 2k;' },
    'HEADER_LIMIT',
    /large_client_header_buffers 4 16k;/,
  ],
  [
    'PATCH is blocked',
    { location: 'limit_except GET POST DELETE OPTIONS { deny all; }' },
    'METHOD_BLOCKED',
    /limit_except GET POST PATCH/,
  ],
  [
    'DELETE is blocked',
    { location: 'limit_except GET POST PATCH OPTIONS { deny all; }' },
    'METHOD_BLOCKED',
    /limit_except .* DELETE/,
  ],
  [
    'OPTIONS is answered by nginx',
    { location: 'if ($request_method = OPTIONS) { return 204; }' },
    'OPTIONS_ANSWERED',
    /remove "if \(\$request_method = OPTIONS\)/,
  ],
  ...(
    [
      'Tus-Resumable',
      'Upload-Length',
      'Upload-Metadata',
      'Upload-Offset',
      'Upload-Ticket',
      'Upload-Checksum',
      'Content-Type',
    ] as const
  ).map(
    (header): Row => [
      `${header} is not passed on`,
      { location: `proxy_set_header ${header} "";` },
      'HEADER_LOST',
      new RegExp(`proxy_set_header ${header} \\$http_`),
    ],
  ),
  [
    'X-HTTP-Method-Override is not passed on',
    { location: 'proxy_set_header X-HTTP-Method-Override "";' },
    'HEADER_LOST',
    /proxy_set_header X-HTTP-Method-Override/,
    'warning',
  ],
  ...(['Upload-Offset', 'Location', 'Tus-Resumable', 'Upload-Metadata'] as const).map(
    (header): Row => [
      `${header} is taken out of answers`,
      { location: `proxy_hide_header ${header};` },
      header === 'Upload-Metadata' ? 'HEADER_LOST' : 'HEADER_HIDDEN',
      new RegExp(header),
    ],
  ),
  [
    'a second CORS header is added',
    { location: 'add_header Access-Control-Allow-Origin * always;' },
    'CORS_DOUBLED',
    /remove "add_header Access-Control-Allow-Origin/,
  ],
  [
    'the CORS header is taken away',
    {
      location:
        'proxy_hide_header Access-Control-Allow-Methods; proxy_hide_header Access-Control-Allow-Origin;',
    },
    'CORS_MISSING',
    /Access-Control-Allow-Origin/,
  ],
  [
    'pages may not read the headers of answers',
    { location: 'proxy_hide_header Access-Control-Expose-Headers;' },
    'CORS_INCOMPLETE',
    /Access-Control-Expose-Headers/,
  ],
  [
    'everything is sent on to HTTPS',
    { server: 'return 301 https://$host$request_uri;' },
    'REDIRECTED',
    /return 308/,
  ],
  [
    'nothing is behind it',
    { location: 'proxy_pass http://127.0.0.1:9;' },
    'UPSTREAM_DOWN',
    /proxy_pass/,
  ],
  [
    'a prefix is put in front',
    { location: 'proxy_pass http://carcosa/elsewhere/;' },
    'WRONG_PREFIX',
    /proxy_pass .*without a path/,
  ],
  [
    'something else is served',
    { location: 'return 200 "hello";' },
    'UNEXPECTED_ANSWER',
    /proxy_pass/,
  ],
  [
    'errors are replaced by pages',
    { location: 'proxy_intercept_errors on; error_page 404 409 412 /sorry;' },
    'ERRORS_REPLACED',
    /proxy_intercept_errors off;/,
  ],
  [
    'answers are compressed',
    { server: 'gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1;' },
    'COMPRESSED',
    /gzip off;/,
  ],
  [
    'ranges are not passed on',
    { location: 'proxy_set_header Range "";' },
    'RANGE_LOST',
    /proxy_set_header Range/,
  ],
  [
    'the entity tag is taken away',
    { location: 'proxy_hide_header ETag;' },
    'ETAG_CHANGED',
    /proxy_pass_header ETag/,
  ],
  [
    'files are changed',
    {
      location:
        'sub_filter "carcosa" "Carcosa"; sub_filter_types *; proxy_set_header Accept-Encoding "";',
    },
    'CONTENT_CHANGED',
    /sub_filter/,
  ],
  [
    'everything is cached',
    {
      http: 'proxy_cache_path cache keys_zone=all:1m;',
      location:
        'proxy_cache all; proxy_cache_valid any 1m; proxy_ignore_headers Cache-Control Expires;',
    },
    'CACHED',
    /proxy_cache off;/,
  ],
  [
    'everything is cached, and HEAD left as it is',
    {
      http: 'proxy_cache_path cache keys_zone=all:1m;',
      location:
        '-proxy_buffering; proxy_cache all; proxy_cache_valid any 1m; proxy_cache_convert_head off; proxy_cache_key $request_method$uri; proxy_ignore_headers Cache-Control Expires;',
    },
    'CACHED',
    /proxy_cache off;/,
  ],
  [
    'events are compressed and collected',
    {
      server:
        'gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_min_length 1;',
      location: 'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;',
    },
    'EVENTS_BUFFERED',
    /proxy_buffering off;/,
  ],
  [
    'connections end after each request',
    { server: 'keepalive_timeout 0;' },
    'CONNECTION_CLOSED',
    /keepalive_timeout 75s;/,
    'warning',
  ],
  [
    'requests are counted',
    {
      http: 'limit_req_zone $binary_remote_addr zone=few:1m rate=1r/s;',
      location: 'limit_req zone=few burst=3 nodelay;',
    },
    'RATE_LIMITED',
    /limit_req/,
  ],
]

for (const [title, directives, code, mend, level = 'broken'] of rows) {
  doctor(`says what to do where ${title}`, async () => {
    const before = await left()
    const { code: exit, wrong } = await behind(directives)
    const codes = new Set(wrong.map((finding) => finding.code))
    assert.equal([...codes], [code], lines(wrong))
    const [first] = wrong
    assert.is(first?.level, level)
    assert.match(first?.mend?.nginx ?? '', mend)
    assert.ok(first?.sent && first.got, JSON.stringify(first))
    assert.is(exit, level === 'broken' ? 1 : 0)
    // What cannot be found cannot be deleted; it expires.
    const lost = /Location is taken/.test(title) ? 1 : 0
    assert.is(await left(), before + lost)
  })
}

/** For a failure. */
function lines(
  findings: readonly { check: string; code: string; got?: string }[],
): string {
  return findings.map(({ check, code, got }) => `${check} ${code}: ${got}`).join('\n')
}

doctor.run()
