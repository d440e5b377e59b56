import { z } from 'zod'
import { apiKeys } from '../auth/api-keys.ts'
import { servicesOnly } from '../auth/event-permission.ts'
import { actions } from '../auth/roles.ts'
import { logLevels } from '../shared/log-level.ts'
import { loggedRequests } from '../shared/logged-requests.ts'
import { defaultRateLimits } from '../shared/rate-limits.ts'
import type { Config, SettingName } from './options.ts'
import * as is from './schemas.ts'

/** How one setting is written and what it may be. */
export interface Setting<T> {
  /** Environment variables, first wins. None: it can only be given in code. */
  readonly env: readonly string[]
  /** Flag of the command line without its dashes. */
  readonly flag?: string
  /** Its value is never shown, and every variable can be given as a file by `…_FILE`. */
  readonly secret?: boolean
  /** Ends the sentence "Allowed: …". */
  readonly allowed: string
  /** A value as it would be typed in a shell. */
  readonly example: string
  /** The same in code. Default: `example` as a string. */
  readonly exampleInCode?: string
  /** The default as help shows it; `defaults` below has its value. */
  readonly fallback?: string
  /** Only `carcosa start` has a use for it. */
  readonly server?: boolean
  /** Judges a value given in code. */
  readonly schema: z.ZodType<T>
  /** Judges the text of a flag or variable. Default: the same as `schema`. */
  readonly text?: z.ZodType<T>
}

/** Every setting of Carcosa, in the order in which `carcosa help start` lists them. */
export const settings: { readonly [K in SettingName]: Setting<Config[K]> } = {
  host: {
    env: ['CARCOSA_HOST', 'HOST'],
    flag: 'host',
    allowed: 'a host name or address without scheme and port',
    example: '127.0.0.1',
    fallback: '127.0.0.1',
    server: true,
    schema: is.host,
  },
  port: {
    env: ['CARCOSA_PORT', 'PORT'],
    flag: 'port',
    allowed: 'a whole number from 0 (any free port) to 65535',
    example: '8080',
    fallback: '8080',
    exampleInCode: '8080',
    server: true,
    schema: is.port,
    text: is.portText,
  },
  dataDir: {
    env: ['CARCOSA_DATA_DIR'],
    flag: 'data-dir',
    allowed: 'a directory',
    example: '.carcosa',
    fallback: '.carcosa',
    schema: is.path,
  },
  database: {
    env: ['CARCOSA_DATABASE', 'DATABASE_URL'],
    flag: 'database',
    secret: true,
    allowed: 'postgres://user:password@host:5432/name, a directory, or memory://',
    example: 'postgres://localhost:5432/carcosa',
    fallback: 'db in the data directory',
    schema: is.database,
  },
  directDatabase: {
    env: ['CARCOSA_DIRECT_DATABASE', 'DIRECT_URL'],
    flag: 'direct-database',
    secret: true,
    allowed: 'the postgres:// URL of the same database past its pooler',
    example: 'postgres://user:password@host:5432/name',
    schema: is.postgresUrl,
  },
  secret: {
    env: ['CARCOSA_SECRET'],
    secret: true,
    allowed:
      'at least 32 characters without white space; to rotate, several (the first signs, ' +
      'all verify), in text with a space or line break between them',
    example: '$(openssl rand -base64 32)',
    fallback: 'made once and kept with the database',

    schema: is.secretList,
    text: is.secretText,
  },
  publicUrl: {
    env: ['CARCOSA_PUBLIC_URL'],
    flag: 'public-url',
    allowed: 'an http or https URL without credentials, query and fragment',
    example: 'https://files.example.com',
    schema: is.publicUrl,
  },
  basePath: {
    env: ['CARCOSA_BASE_PATH'],
    flag: 'base-path',
    allowed: 'a path that starts with a slash',
    example: '/media',
    schema: is.basePath,
  },
  cors: {
    env: ['CARCOSA_CORS'],
    flag: 'cors',
    allowed: 'origins such as https://app.example.com, * for all, or none',
    example: 'https://app.example.com,https://www.example.com',
    fallback: '*',
    exampleInCode: "{ origins: ['https://app.example.com'] }",
    schema: is.cors,
    text: is.corsText,
  },
  digest: {
    env: ['CARCOSA_DIGEST'],
    flag: 'digest',
    allowed: 'sha-256 or none',
    example: 'sha-256',
    fallback: 'sha-256',
    schema: z.enum(['sha-256', 'none']),
  },
  expiresIn: {
    env: ['CARCOSA_EXPIRES_IN'],
    flag: 'expires-in',
    allowed: 'a duration above zero with its unit; in code also milliseconds',
    example: '24h',
    fallback: '24h',
    schema: is.positiveDuration,
  },
  orphanGrace: {
    env: ['CARCOSA_ORPHAN_GRACE'],
    flag: 'orphan-grace',
    allowed: 'a duration above zero with its unit; in code also milliseconds',
    example: '48h',
    fallback: '48h',
    schema: is.positiveDuration,
  },
  maxSignedUrlAge: {
    env: ['CARCOSA_MAX_SIGNED_URL_AGE'],
    flag: 'max-signed-url-age',
    allowed: 'a duration above zero with its unit; in code also milliseconds',
    example: '7d',
    fallback: '7d',
    schema: is.positiveDuration,
  },
  stagingMemory: {
    env: ['CARCOSA_STAGING_MEMORY'],
    flag: 'staging-memory',
    allowed: 'a size of at least 16MB',
    example: '96MB',
    fallback: '96MB',
    schema: is.size.pipe(z.number().min(16 * 1024 * 1024)),
  },
  stagingDisk: {
    env: ['CARCOSA_STAGING_DISK'],
    flag: 'staging-disk',
    allowed: 'a size, 0 for none',
    example: '1GB',
    fallback: '1GB',
    schema: is.size,
  },
  stagingDir: {
    env: ['CARCOSA_STAGING_DIR'],
    flag: 'staging-dir',
    allowed: 'a directory',
    example: '/var/tmp',
    schema: is.path,
  },
  eventRetention: {
    env: ['CARCOSA_EVENT_RETENTION'],
    flag: 'event-retention',
    allowed: 'a duration above zero with its unit; in code also milliseconds',
    example: '30d',
    fallback: '30d',
    schema: is.positiveDuration,
  },
  eventHeartbeat: {
    env: ['CARCOSA_EVENT_HEARTBEAT'],
    flag: 'event-heartbeat',
    allowed: 'a duration of at least a second with its unit; in code also milliseconds',
    example: '15s',
    fallback: '15s',
    schema: is.positiveDuration.pipe(z.number().min(1_000)),
  },
  maxSubscribers: {
    env: ['CARCOSA_MAX_SUBSCRIBERS'],
    flag: 'max-subscribers',
    allowed: 'a whole number, 0 for none',
    example: '10000',
    exampleInCode: '10000',
    fallback: '10000',
    schema: is.count,
    text: is.countText,
  },
  maxSubscribersPerClient: {
    env: ['CARCOSA_MAX_SUBSCRIBERS_PER_CLIENT'],
    flag: 'max-subscribers-per-client',
    allowed: 'a whole number, 0 for none',
    example: '100',
    exampleInCode: '100',
    fallback: '100',
    schema: is.count,
    text: is.countText,
  },
  subscriberBuffer: {
    env: ['CARCOSA_SUBSCRIBER_BUFFER'],
    flag: 'subscriber-buffer',
    allowed: 'a size of at least 16KB',
    example: '256KB',
    fallback: '256KB',
    schema: is.size.pipe(z.number().min(16 * 1024)),
  },
  auditRetention: {
    env: ['CARCOSA_AUDIT_RETENTION'],
    flag: 'audit-retention',
    allowed: 'a duration above zero with its unit; in code also milliseconds',
    example: '365d',
    fallback: '365d',
    schema: is.positiveDuration,
  },
  requestLog: {
    env: ['CARCOSA_REQUEST_LOG'],
    flag: 'request-log',
    allowed: loggedRequests.join(', '),
    example: 'api',
    fallback: 'api',
    schema: z.enum(loggedRequests),
  },
  requestLogRetention: {
    env: ['CARCOSA_REQUEST_LOG_RETENTION'],
    flag: 'request-log-retention',
    allowed: 'a duration above zero with its unit; in code also milliseconds',
    example: '30d',
    fallback: '30d',
    schema: is.positiveDuration,
  },
  worker: {
    env: ['CARCOSA_WORKER'],
    flag: 'worker',
    allowed: 'true or false',
    example: 'true',
    fallback: 'true',
    exampleInCode: 'true',
    schema: z.boolean(),
    text: is.booleanText,
  },
  queues: {
    env: ['CARCOSA_QUEUES'],
    flag: 'queues',
    allowed: 'names of queues with commas between them (carcosa jobs counts lists them)',
    example: 'upload.complete,file.mirror',
    fallback: 'all of them',
    exampleInCode: "['upload.complete', 'file.mirror']",
    schema: is.names,
    text: is.namesText,
  },
  logLevel: {
    env: ['CARCOSA_LOG_LEVEL'],
    flag: 'log-level',
    allowed: logLevels.join(', '),
    example: 'info',
    fallback: 'info',
    server: true,
    schema: z.enum(logLevels),
  },
  shutdownTimeout: {
    env: ['CARCOSA_SHUTDOWN_TIMEOUT'],
    flag: 'shutdown-timeout',
    allowed: 'a duration above zero with its unit; in code also milliseconds',
    example: '10s',
    fallback: '10s',
    schema: is.positiveDuration,
  },
  drainDelay: {
    env: ['CARCOSA_DRAIN_DELAY'],
    flag: 'drain-delay',
    allowed: 'a duration with its unit, 0 for none; in code also milliseconds',
    example: '5s',
    fallback: '0',
    schema: is.duration,
    text: is.durationText,
  },
  redis: {
    env: ['CARCOSA_REDIS', 'REDIS_URL'],
    flag: 'redis',
    secret: true,
    allowed: 'redis://user:password@host:6379, or rediss:// for TLS',
    example: 'redis://localhost:6379',
    schema: is.redisUrl,
  },
  idleTimeout: {
    env: ['CARCOSA_IDLE_TIMEOUT'],
    flag: 'idle-timeout',
    allowed:
      'a duration above zero and of at most 24 days, with its unit; in code also milliseconds',
    example: '60s',
    fallback: '60s',
    schema: is.timerDuration,
  },
  minUploadRate: {
    env: ['CARCOSA_MIN_UPLOAD_RATE'],
    flag: 'min-upload-rate',
    allowed: 'bytes a second, such as 64 or 1KB; 0 for any',
    example: '1KB',
    fallback: '64',
    exampleInCode: '1024',
    schema: is.size,
  },
  adminPort: {
    env: ['CARCOSA_ADMIN_PORT'],
    flag: 'admin-port',
    allowed: 'a whole number from 0 (any free port) to 65535',
    example: '9090',
    exampleInCode: '9090',
    server: true,
    schema: is.port,
    text: is.portText,
  },
  adminHost: {
    env: ['CARCOSA_ADMIN_HOST'],
    flag: 'admin-host',
    allowed: 'a host name or address without scheme and port',
    example: '127.0.0.1',
    fallback: '127.0.0.1',
    server: true,
    schema: is.host,
  },
  maxConnections: {
    env: ['CARCOSA_MAX_CONNECTIONS'],
    flag: 'max-connections',
    allowed: 'a whole number, 0 for no limit',
    example: '10000',
    fallback: '10000',
    exampleInCode: '10_000',
    server: true,
    schema: is.count,
    text: is.countText,
  },
  maxConnectionsPerClient: {
    env: ['CARCOSA_MAX_CONNECTIONS_PER_CLIENT'],
    flag: 'max-connections-per-client',
    allowed: 'a whole number, 0 for no limit',
    example: '100',
    fallback: '0',
    exampleInCode: '100',
    server: true,
    schema: is.count,
    text: is.countText,
  },
  trustedProxies: {
    env: ['CARCOSA_TRUSTED_PROXIES'],
    flag: 'trusted-proxies',
    allowed:
      'addresses, networks such as 10.0.0.0/8, loopback, private; in text with commas between',
    example: 'loopback,10.1.0.0/16',
    exampleInCode: "['loopback', '10.1.0.0/16']",
    schema: is.networks,
    text: is.networksText,
  },
  rateLimits: {
    env: ['CARCOSA_RATE_LIMITS'],
    flag: 'rate-limits',
    allowed:
      'off, or for each of create, prepare, auth and read a number and a time or off (for one of ' +
      'address, principal, project: create.project=…), and store=memory; in code also an object',
    example: 'create=600/1m,auth=20/5m,read=off',
    fallback: 'create=6000/1m,prepare=6000/1m,auth=100/1m,read=off,api=3000/1m',
    exampleInCode: "{ create: { points: 600, per: '1m' } }",
    schema: is.rateLimits,
    text: is.rateLimitsText,
  },
  quota: {
    env: ['CARCOSA_QUOTA'],
    flag: 'quota',
    allowed:
      'off, or bytes=<size> and files=<number> with a comma between, and the same for each owner as ' +
      'perOwner.bytes and perOwner.files; in code also an object',
    example: 'bytes=100GB,files=100000,perOwner.bytes=1GB',
    exampleInCode: "{ bytes: '100GB', perOwner: { bytes: '1GB' } }",
    schema: is.quota,
    text: is.quotaText,
  },
  router: {
    env: [],
    allowed: 'what createRouter returns',
    example: 'createRouter({ … })',
    exampleInCode: 'createRouter({ … })',
    schema: is.having<Config['router']>('routes'),
  },
  store: {
    env: ['CARCOSA_STORE'],
    flag: 'store',
    allowed:
      'a URL: file:<directory>, s3://<bucket>/<prefix>/?region=…, r2://<bucket>?account=…, ' +
      'gs://<bucket>/<prefix>/; in code also a store, or an object of stores by name',
    example: 's3://media/uploads/?region=eu-central-1',
    exampleInCode: "file({ directory: 'files' })",
    fallback: 'files in the data directory',
    schema: is.stores,
    text: is.storeUrl,
  },
  auth: {
    env: [],
    allowed: 'a list of providers, each with a function authenticate',
    example: '[apiKeys()]',
    exampleInCode: '[apiKeys()]',
    schema: z.array(is.having<Config['auth'][number]>('authenticate')),
  },
  accounts: {
    env: ['CARCOSA_ACCOUNTS'],
    flag: 'accounts',
    allowed:
      'off, or who may sign up: invited (also: on), open, closed; in code also an object with ' +
      'signUp, mailer, sessionLifetime, verifyEmail',
    example: 'invited',
    fallback: 'off',
    exampleInCode: "{ signUp: 'open', mailer }",
    schema: is.accounts,
    text: is.accountsText,
  },
  events: {
    env: [],
    allowed: 'an object with a function allow({ principal, topic })',
    example: "{ allow: ({ principal }) => principal.id === 'ops' }",
    exampleInCode: "{ allow: ({ principal }) => principal.id === 'ops' }",
    schema: is.having<Config['events']>('allow'),
  },
  roles: {
    env: [],
    allowed: `an object of lists of grants by name: ${actions.join(', ')}, each also with .own`,
    example: "{ auditor: ['files.read', 'audit.read'] }",
    exampleInCode: "{ auditor: ['files.read', 'audit.read'] }",
    schema: is.roles,
  },
  explainDenials: {
    env: ['CARCOSA_EXPLAIN_DENIALS'],
    flag: 'explain-denials',
    allowed: 'true or false',
    example: 'true',
    fallback: 'false',
    exampleInCode: 'true',
    schema: z.boolean(),
    text: is.booleanText,
  },
  logger: {
    env: [],
    allowed: 'an object with the functions debug, info, warn and error (pino is one)',
    example: 'pino()',
    exampleInCode: 'pino()',
    schema: is.having<NonNullable<Config['logger']>>('debug', 'info', 'warn', 'error'),
  },
  page: {
    env: [],
    allowed: 'a directory',
    example: 'public',
    server: true,
    schema: is.path,
  },
}

/** What a setting is when it is given nowhere; the database depends on dataDir. */
export const defaults: Omit<Config, 'router' | 'database'> = {
  directDatabase: undefined,
  host: '127.0.0.1',
  port: 8080,
  dataDir: '.carcosa',
  secret: undefined,
  publicUrl: undefined,
  basePath: '',
  cors: { origins: '*' },
  digest: 'sha-256',
  expiresIn: 24 * 3_600_000,
  orphanGrace: 48 * 3_600_000,
  maxSignedUrlAge: 7 * 24 * 3_600_000,
  stagingMemory: 96 * 1024 * 1024,
  stagingDisk: 1024 * 1024 * 1024,
  stagingDir: undefined,
  events: servicesOnly,
  eventRetention: 30 * 24 * 3_600_000,
  eventHeartbeat: 15_000,
  maxSubscribers: 10_000,
  maxSubscribersPerClient: 100,
  subscriberBuffer: 256 * 1024,
  auditRetention: 365 * 24 * 3_600_000,
  requestLog: 'api',
  requestLogRetention: 30 * 24 * 3_600_000,
  worker: true,
  queues: undefined,
  logLevel: 'info',
  shutdownTimeout: 10_000,
  drainDelay: 0,
  redis: undefined,
  idleTimeout: 60_000,
  minUploadRate: 64,
  adminPort: undefined,
  adminHost: '127.0.0.1',
  maxConnections: 10_000,
  maxConnectionsPerClient: 0,
  trustedProxies: [],
  rateLimits: defaultRateLimits,
  quota: undefined,
  store: undefined,
  auth: [apiKeys()],
  accounts: false,
  roles: {},
  explainDenials: false,
  logger: undefined,
  page: undefined,
}
