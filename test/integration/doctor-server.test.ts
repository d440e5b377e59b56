/** `carcosa doctor` without a proxy: credentials, prefixes, clocks, routes, and how it ends. */
import { createServer } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AuthProvider } from '../../src/auth/principal.ts'
import { route } from '../../src/routes/route.ts'
import { createRouter } from '../../src/routes/router.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { command, run } from '../support/command.ts'
import { examine } from '../support/doctor.ts'
import { nodeAt, startNginx } from '../support/nginx.ts'
import { postgres } from '../support/postgres.ts'
import { requires } from '../support/requirements.ts'
import { listen, startServer, type TestServer } from '../support/server.ts'

async function left({ uploads }: TestServer): Promise<number> {
  const rows = await uploads.db.query<{ id: string }>({
    name: 'left_behind',
    sql: `SELECT id FROM carcosa.file WHERE state <> 'removed'`,
  })
  return rows.length
}

const direct = suite('carcosa doctor')
let server: TestServer
let url: string

direct.before(async () => {
  server = await startServer()
  url = `http://127.0.0.1:${server.port}`
})
direct.after(() => server.close())

for (const name of ['demo', 'private', 'image']) {
  direct(`finds nothing wrong with the route ${name}, and leaves nothing`, async () => {
    const { code, wrong, report } = await examine(url, '--route', name)
    assert.equal(wrong, [])
    assert.is(code, 0)
    assert.is(report.route, name)
    assert.is(await left(server), 0)
  })
}

direct('uses a credential where the route needs one', async () => {
  const header = ['--header', 'Authorization: Bearer cassilda']
  const { wrong } = await examine(url, '--route', 'mine', ...header)
  assert.equal(wrong, [])
  const without = await examine(url, '--route', 'mine')
  assert.is(without.code, 1)
  assert.is(without.wrong[0]?.code, 'CREDENTIAL_REFUSED')
  assert.match(without.wrong[0]?.mend?.carcosa ?? '', '--header')
})

direct('asks which route, and names those there are', async () => {
  const none = await examine(url)
  assert.is(none.wrong[0]?.code, 'ROUTE_UNKNOWN')
  assert.match(none.wrong[0]?.message ?? '', 'demo, private')
  const wrong = await examine(url, '--route', 'dmeo')
  assert.match(wrong.wrong[0]?.message ?? '', 'no route "dmeo"')
})

direct('names what the server itself misses', async () => {
  const database = await postgres()
  const alone = await startServer({ database: database.url })
  await database.drop()
  const { wrong } = await examine(`http://127.0.0.1:${alone.port}`, '--route', 'demo')
  const ready = wrong.find(({ check }) => check === 'ready')
  assert.is(ready?.code, 'NOT_READY')
  assert.match(ready?.message ?? '', 'not ready: database')
  await alone.close()
})

direct('says that nobody listens', async () => {
  const { code, wrong } = await examine('http://127.0.0.1:9')
  assert.is(code, 1)
  assert.equal(
    wrong.map((finding) => finding.code),
    ['NO_ANSWER'],
  )
})

direct('tells a person what was sent, what came, and what to write where', async () => {
  const hidden = createServer((_, response) => {
    response.writeHead(413, { Server: 'somebody' }).end('<h1>Too large</h1>')
  })
  const port = await listen(hidden)
  const { code, out } = await run(['doctor', '--to', `http://127.0.0.1:${port}`])
  hidden.close()
  assert.is(code, 1)
  assert.match(out, /^broken {3}reach {7}BODY_LIMIT: /m)
  assert.match(out, /^ +sent +GET \/healthz$/m)
  assert.match(out, /^ +came back +413 from somebody: Too large$/m)
  assert.match(out, /^ +nginx +client_max_body_size 0;$/m)
  assert.match(out, /^ +Caddy +request_body/m)
  assert.match(out, /^ +Cloudflare +bodies end at 100 MB/m)
  assert.match(out, /^skipped +create +because of /m)
  assert.match(out, /1 broken, \d+ skipped\n$/)
})

direct('notices that the clocks differ', async () => {
  const late = 'const now = Date.now; Date.now = () => now() + 400_000'
  const { out, code } = await run(
    ['doctor', '--json', '--to', url, '--route', 'demo', '--pause', '1s'],
    {
      nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(late)}`],
    },
  )
  const { findings } = JSON.parse(out)
  const clock = findings.filter((finding: { check: string }) => finding.check === 'clock')
  assert.is(clock.length, 2)
  for (const { level, code: what, got } of clock) {
    assert.equal([level, what], ['broken', 'CLOCK_SKEW'])
    assert.match(got, /^−40[01] s$/)
  }
  assert.match(clock[0].mend.carcosa, 'timedatectl set-ntp true')
  assert.is(code, 1)
})

direct('deletes what it created when it is stopped', async () => {
  const doctor = command(['doctor', '--to', url, '--route', 'demo', '--pause', '60s'])
  await doctor.printed(/ok +buffering/)
  // Both uploads of the check that pauses are there.
  while ((await left(server)) < 2) await new Promise((resolve) => setTimeout(resolve, 20))
  doctor.child.kill('SIGINT')
  const { code, err } = await doctor.ended
  assert.is(code, 130)
  assert.match(err, 'What was created is deleted')
  assert.is(await left(server), 0)
})

direct.run()

const places = suite('carcosa doctor and the place of uploads')

const wrongPlaces: [title: string, publicUrl: string, basePath: string, says: string][] =
  [
    ['another host', 'http://elsewhere.example', '', 'elsewhere.example instead of'],
    ['another scheme', 'https://127.0.0.1:PORT', '', 'https: instead of http:'],
    ['a prefix told twice', 'http://127.0.0.1:PORT/media', '/media', '/media is doubled'],
  ]

for (const [title, publicUrl, basePath, says] of wrongPlaces) {
  places(`notices ${title} in Location`, async () => {
    const front = createServer()
    const port = await listen(front)
    const behind = await startServer({
      publicUrl: publicUrl.replace('PORT', `${port}`),
      basePath,
    })
    front.on('request', behind.carcosa.handler)
    const { wrong } = await examine(
      `http://127.0.0.1:${port}${basePath}`,
      '--route',
      'demo',
    )
    assert.is(wrong[0]?.code, 'LOCATION_WRONG')
    assert.match(wrong[0]?.message ?? '', says)
    assert.match(wrong[0]?.mend?.carcosa ?? '', '--public-url')
    assert.is(await left(behind), 0)
    front.closeAllConnections()
    front.close()
    await behind.close()
  })
}

places.run()

const proxied = requires(
  'nginx',
  suite('carcosa doctor behind nginx, with prefix or credential'),
)

proxied('notices a prefix that is stripped and never told', async () => {
  const behind = await startServer()
  const nginx = await startNginx([nodeAt(behind.port)], {
    server:
      'location /media/ { proxy_pass http://carcosa/; proxy_http_version 1.1; proxy_request_buffering off; }',
  })
  const { wrong } = await examine(`${nginx.endpoint}/media`, '--route', 'demo')
  assert.is(wrong[0]?.code, 'LOCATION_WRONG')
  assert.match(wrong[0]?.message ?? '', 'the prefix /media is missing')
  assert.is(await left(behind), 0)
  await nginx.stop()
  await behind.close()
})

const keyAuth: AuthProvider = {
  name: 'key',
  authenticate({ headers }) {
    const key = headers.get('x_api_key')
    if (key && key !== 'right') throw new CarcosaError('UNAUTHENTICATED')
    return key ? { id: 'somebody', kind: 'user' } : null
  },
}

const credentials: [title: string, header: string, directive: string][] = [
  ['Authorization is taken away', 'Authorization: Bearer camilla', 'Authorization'],
  ['names with an underscore are dropped', 'X_Api_Key: right', 'underscores'],
]

for (const [title, header, what] of credentials) {
  proxied(`says what to do where ${title}`, async () => {
    const behind = await startServer(what === 'underscores' ? { auth: [keyAuth] } : {})
    const broken =
      what === 'underscores'
        ? { server: 'underscores_in_headers off;' }
        : { location: `proxy_set_header ${what} "";` }
    const args = ['--route', 'mine', '--header', header]
    for (const [directives, code] of [
      [{}, undefined],
      [broken, 'CREDENTIAL_REFUSED'],
    ] as const) {
      const nginx = await startNginx([nodeAt(behind.port)], directives)
      const { wrong } = await examine(nginx.endpoint, ...args)
      await nginx.stop()
      assert.is(wrong[0]?.code, code, JSON.stringify(wrong))
      if (code) assert.match(wrong[0]?.mend?.nginx ?? '', 'underscores_in_headers on;')
    }
    await behind.close()
  })
}

proxied.run()

const routes = suite('carcosa doctor and routes with an input')

const withInput = createRouter({
  doctor: route({ text: { maxFileSize: '64KB' } })
    .public()
    .input({
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          Object(value).album === 1
            ? { value: { album: 1 } }
            : { issues: [{ message: 'album must be 1' }] },
      },
    }),
  other: route({ blob: {} }).public(),
})

routes(
  'says that one is needed, and takes it; the route called doctor is the default',
  async () => {
    const behind = await startServer({ router: withInput })
    const at = `http://127.0.0.1:${behind.port}`
    const without = await examine(at)
    assert.is(without.report.route, 'doctor')
    assert.equal([...new Set(without.wrong.map(({ code }) => code))], ['INPUT_NEEDED'])
    assert.match(without.wrong[0]?.mend?.carcosa ?? '', '--input')
    const given = await examine(at, '--input', '{"album":1}')
    assert.equal(given.wrong, [])
    assert.is(await left(behind), 0)
    await behind.close()
  },
)

routes.run()

const local = suite('carcosa doctor --local')

local('looks at settings and database of the server', async () => {
  const database = await postgres()
  const args = ['doctor', '--json', '--local', '--database', database.url]
  const { out } = await run([...args, '--to', 'http://127.0.0.1:9'])
  const { findings } = JSON.parse(out)
  const told = findings.map(
    ({ check, code }: Record<string, string>) => `${check} ${code}`,
  )
  assert.equal(told.slice(0, 3), [
    'settings STORE_LOCAL',
    'database MIGRATIONS_PENDING',
    'reach NO_ANSWER',
  ])
  await run(['migrate', '--database', database.url])
  const again = await run([...args, '--to', 'http://127.0.0.1:9'], {
    env: { CARCOSA_STORE: 'file:/tmp/nowhere' },
  })
  const [settings, db] = JSON.parse(again.out).findings
  assert.is(settings.level, 'ok')
  assert.is(db.level, 'ok')
  await database.drop()
})

local('says that the database is not there, without its password', async () => {
  const args = ['--local', '--database', 'postgres://me:hunter2@127.0.0.1:9/none']
  const { out, code } = await run(['doctor', ...args, '--to', 'http://127.0.0.1:9'])
  assert.is(code, 1)
  assert.match(out, /^broken +database +DATABASE_UNAVAILABLE: /m)
  assert.not.match(out, 'hunter2')
})

local.run()

const usage = suite('a command line of carcosa doctor that makes no sense')

for (const [args, said] of [
  [['--to', 'files.example.com'], '--to must be an http or https URL'],
  [['--pause', 'long'], '--pause must be a duration such as 5s, not "long"'],
  [['--max-body', 'huge'], '--max-body must be a size such as 128MB, not "huge"'],
  [['--input', '{'], '--input must be JSON'],
  [['--header', 'secret'], '--header must be "name: value"'],
  [['--rout', 'demo'], 'no flag --rout'],
] as const) {
  usage(`is answered with what is allowed: ${args.join(' ')}`, async () => {
    const { code, err } = await run(['doctor', ...args])
    assert.is(code, 2)
    assert.match(err, said)
    assert.match(err, 'carcosa help doctor')
  })
}

usage.run()
