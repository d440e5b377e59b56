import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../../src/config/options.ts'
import { type ConfigSources, resolveConfig } from '../../src/config.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { parseQuota } from '../../src/shared/quota.ts'
import { parseRateLimits } from '../../src/shared/rate-limits.ts'

// A router is judged by its shape only; these tests are about everything around it.
const router = { routes: {} } as unknown as Config['router']
const directory = mkdtempSync(join(tmpdir(), 'carcosa-config-'))
const longSecret = 'a'.repeat(40)

function resolved(sources: Partial<ConfigSources> = {}): Config {
  return resolveConfig(given(sources)).config
}

function given(sources: Partial<ConfigSources>): ConfigSources {
  return { env: {}, cwd: '/srv/app', ...sources, object: { router, ...sources.object } }
}

function problemOf(sources: Partial<ConfigSources>): CarcosaError {
  try {
    resolveConfig(given(sources))
  } catch (error) {
    assert.instance(error, CarcosaError)
    return error as CarcosaError
  }
  throw new Error(`${JSON.stringify(sources)} was accepted`)
}

function fileWith(name: string, text: string): string {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}

const order = suite('where a setting comes from')

order('every setting but the router has a default', () => {
  const config = resolved()
  assert.is(config.host, '127.0.0.1')
  assert.is(config.port, 8080)
  assert.is(config.dataDir, '/srv/app/.carcosa')
  assert.is(config.database, '/srv/app/.carcosa/db')
  assert.equal(config.cors, { origins: '*' })
  assert.is(config.digest, 'sha-256')
  assert.is(config.expiresIn, 86_400_000)
  assert.is(config.worker, true)
  assert.is(config.secret, undefined)
})

order(
  'code wins over a flag, a flag over a variable, a variable over the default',
  () => {
    const env = { CARCOSA_PORT: '1003' }
    const flags = { port: '1002' }
    assert.is(resolved({ object: { port: 1001 }, flags, env }).port, 1001)
    assert.is(resolved({ flags, env }).port, 1002)
    assert.is(resolved({ env }).port, 1003)
  },
)

order('the own variable wins over the one shared with other programs', () => {
  const env = { CARCOSA_PORT: '1001', PORT: '1002', HOST: '::1' }
  assert.is(resolved({ env }).port, 1001)
  assert.is(resolved({ env }).host, '::1')
})

order('the origin of every setting is told', () => {
  const { origins } = resolveConfig(
    given({
      objectName: 'carcosa.config.ts',
      object: { digest: 'none' },
      flags: { worker: false },
      env: { PORT: '1' },
    }),
  )
  assert.is(origins.digest, 'carcosa.config.ts')
  assert.is(origins.worker, '--worker')
  assert.is(origins.port, 'PORT')
  assert.is(origins.host, 'default')
})

order('every setting that can be written as text is read from CARCOSA_*', () => {
  const config = resolved({
    env: {
      CARCOSA_HOST: '0.0.0.0',
      CARCOSA_PORT: '0',
      CARCOSA_DATA_DIR: 'data',
      CARCOSA_DATABASE: 'memory://',
      CARCOSA_SECRET: longSecret,
      CARCOSA_PUBLIC_URL: 'https://files.example.com/',
      CARCOSA_BASE_PATH: '/media/',
      CARCOSA_CORS: 'https://a.example, http://localhost:3000',
      CARCOSA_DIGEST: 'none',
      CARCOSA_EXPLAIN_DENIALS: 'true',
      CARCOSA_EXPIRES_IN: '2 days',
      CARCOSA_ORPHAN_GRACE: '3 days',
      CARCOSA_DELETE_GRACE: '7 days',
      CARCOSA_OUTBOUND_NETWORKS: 'private, 203.0.113.7',
      CARCOSA_MAX_SIGNED_URL_AGE: '1h',
      CARCOSA_WORKER: '0',
      CARCOSA_LOG_LEVEL: 'silent',
      CARCOSA_SHUTDOWN_TIMEOUT: '3s',
      CARCOSA_QUEUES: 'upload.complete, file.mirror',
      CARCOSA_DRAIN_DELAY: '5s',
      CARCOSA_REDIS: 'rediss://user:pw@cache.example:6380',
      CARCOSA_STORE: 's3://media/uploads/?region=eu-west-1',
      CARCOSA_STAGING_MEMORY: '64MB',
      CARCOSA_STAGING_DISK: '0',
      CARCOSA_STAGING_DIR: 'parts',
      CARCOSA_EVENT_RETENTION: '7d',
      CARCOSA_EVENT_HEARTBEAT: '20s',
      CARCOSA_AUDIT_RETENTION: '2d',
      CARCOSA_REQUEST_LOG: 'all',
      CARCOSA_REQUEST_LOG_RETENTION: '1d',
      CARCOSA_MAX_SUBSCRIBERS: '5',
      CARCOSA_MAX_SUBSCRIBERS_PER_CLIENT: '0',
      CARCOSA_SUBSCRIBER_BUFFER: '1MB',
      CARCOSA_IDLE_TIMEOUT: '90s',
      CARCOSA_MIN_UPLOAD_RATE: '1KB',
      CARCOSA_ADMIN_PORT: '9090',
      CARCOSA_ADMIN_HOST: '10.0.0.1',
      CARCOSA_MAX_CONNECTIONS: '500',
      CARCOSA_MAX_CONNECTIONS_PER_CLIENT: '50',
      CARCOSA_TRUSTED_PROXIES: 'loopback, 10.1.0.0/16',
      CARCOSA_RATE_LIMITS: 'create=600/1m, read=5/1s',
      CARCOSA_QUOTA: 'bytes=1GB,perOwner.files=3',
      CARCOSA_ACCOUNTS: 'open',
    },
  })
  assert.equal(
    { ...config, router: undefined, auth: undefined, events: undefined },
    {
      rateLimits: parseRateLimits({
        create: { points: 600, per: '1m' },
        read: { points: 5, per: '1s' },
      }),
      quota: parseQuota({ bytes: '1GB', perOwner: { files: 3 } }),
      accounts: { signUp: 'open', sessionLifetime: 1_209_600_000, verifyEmail: true },
      router: undefined,
      auth: undefined,
      events: undefined,
      eventRetention: 604_800_000,
      eventHeartbeat: 20_000,
      auditRetention: 172_800_000,
      requestLog: 'all',
      requestLogRetention: 86_400_000,
      maxSubscribers: 5,
      maxSubscribersPerClient: 0,
      subscriberBuffer: 1024 * 1024,
      store: 's3://media/uploads/?region=eu-west-1',
      idleTimeout: 90_000,
      minUploadRate: 1024,
      adminPort: 9090,
      adminHost: '10.0.0.1',
      maxConnections: 500,
      maxConnectionsPerClient: 50,
      trustedProxies: ['loopback', '10.1.0.0/16'],
      stagingMemory: 64 * 1024 * 1024,
      stagingDisk: 0,
      stagingDir: '/srv/app/parts',
      logger: undefined,
      page: undefined,
      host: '0.0.0.0',
      port: 0,
      dataDir: '/srv/app/data',
      database: 'memory://',
      secret: [longSecret],
      publicUrl: 'https://files.example.com',
      basePath: '/media',
      cors: { origins: ['https://a.example', 'http://localhost:3000'] },
      digest: 'none',
      explainDenials: true,
      expiresIn: 172_800_000,
      orphanGrace: 259_200_000,
      deleteGrace: 604_800_000,
      outboundNetworks: ['private', '203.0.113.7'],
      projectGrace: 604_800_000,
      maxSignedUrlAge: 3_600_000,
      worker: false,
      logLevel: 'silent',
      shutdownTimeout: 3000,
      queues: ['upload.complete', 'file.mirror'],
      drainDelay: 5000,
      redis: 'rediss://user:pw@cache.example:6380',
      directDatabase: undefined,
      roles: {},
    },
  )
})

order('refusals are not explained in production, whatever is asked for', () => {
  const asked = { CARCOSA_EXPLAIN_DENIALS: 'true' }
  assert.is(resolved({ env: asked }).explainDenials, true)
  assert.is(resolved({ env: { ...asked, NODE_ENV: 'production' } }).explainDenials, false)
})

order('a finished configuration can be resolved again and stays what it is', () => {
  const once = resolved({
    object: { basePath: '/m/', secret: longSecret, expiresIn: '1h' },
  })
  assert.equal(resolveConfig({ object: once, env: {}, cwd: '/elsewhere' }).config, once)
})

order('a relative database directory starts at the working directory', () => {
  assert.is(resolved({ flags: { database: 'pg' } }).database, '/srv/app/pg')
})

order('DATABASE_URL is read, and CARCOSA_DATABASE wins over it', () => {
  const url = 'postgres://u:p@db:5432/app'
  assert.is(resolved({ env: { DATABASE_URL: url } }).database, url)
  const env = { DATABASE_URL: 'mysql://db/app', CARCOSA_DATABASE: 'memory://' }
  assert.is(resolved({ env }).database, 'memory://')
})

order('a variable of another program is not judged while code says otherwise', () => {
  const env = { DATABASE_URL: 'file:./dev.db' }
  assert.is(resolved({ object: { database: 'memory://' }, env }).database, 'memory://')
})

order('inside another server its HOST and PORT are not looked at', () => {
  const env = { PORT: '\\\\.\\pipe\\iisnode', HOST: 'not a host' }
  assert.is(resolved({ env, embedded: true }).port, 8080)
})

order(
  'the variables Kubernetes makes for a service named carcosa are passed over',
  () => {
    const env = {
      CARCOSA_PORT: 'tcp://10.0.0.1:8080',
      CARCOSA_SERVICE_HOST: '10.0.0.1',
      CARCOSA_SERVICE_PORT_HTTP: '8080',
      CARCOSA_PORT_8080_TCP_ADDR: '10.0.0.1',
      PORT: '9000',
    }
    assert.is(resolved({ env }).port, 9000)
  },
)

order.run()

const secrets = suite('secrets')

secrets('are read from the file that _FILE names, without the last line break', () => {
  const env = { CARCOSA_SECRET_FILE: fileWith('secret', `${longSecret}\n`) }
  assert.equal(resolved({ env }).secret, [longSecret])
})

secrets('several are separated by white space, the first one first', () => {
  const next = 'b'.repeat(32)
  const env = { CARCOSA_SECRET_FILE: fileWith('secrets', `${next}\n${longSecret}\r\n`) }
  assert.equal(resolved({ env }).secret, [next, longSecret])
})

secrets('the database may come from DATABASE_URL_FILE', () => {
  const env = { DATABASE_URL_FILE: fileWith('url', 'postgres://u:p@db/app\r\n') }
  assert.is(resolved({ env }).database, 'postgres://u:p@db/app')
})

for (const [what, sources] of Object.entries({
  'a short secret in code': { object: { secret: 'hunter2' } },
  'a short secret in a variable': { env: { CARCOSA_SECRET: 'hunter2' } },
  'a short secret in a file': {
    env: { CARCOSA_SECRET_FILE: fileWith('short', 'hunter2') },
  },
  'a database of another kind': { env: { DATABASE_URL: 'mysql://root:hunter2@db/app' } },
  'a database flag': { flags: { database: 'mysql://root:hunter2@db/app' } },
})) {
  secrets(`the value of ${what} is not in the error`, () => {
    const error = problemOf(sources)
    assert.not.match(`${error.message}${JSON.stringify(error.toProblem())}`, 'hunter2')
  })
}

secrets.after(() => rmSync(directory, { recursive: true, force: true }))
secrets.run()
