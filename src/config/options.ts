import type { Store } from '../../stores/store.ts'
import type { EventPermission } from '../auth/event-permission.ts'
import type { AuthProvider } from '../auth/principal.ts'
import type { Grant } from '../auth/roles.ts'
import type { Router } from '../routes/router.ts'
import type { AccountsConfig, AccountsOptions } from '../shared/accounts.ts'
import type { LogLevel } from '../shared/log-level.ts'
import type { LoggedRequests } from '../shared/logged-requests.ts'
import type { Logger } from '../shared/logger.ts'
import type { QuotaLimits, QuotaOptions } from '../shared/quota.ts'
import type { RateLimitOptions, RateLimits } from '../shared/rate-limits.ts'

/** What `createCarcosa` takes. Everything but the router has a default. */
export interface CarcosaOptions {
  /** What may be uploaded, from `createRouter`. */
  router: Router
  /**
   * Where bytes go: one store, or several by name, each made by `s3()`, `file()` … or a URL
   * such as `s3://bucket/prefix/?region=eu-west-1` (see src/store-url.ts). Default: files
   * under `dataDir`.
   */
  store?: Store | string | Record<string, Store | string>
  /**
   * `postgres://…`, a directory for the embedded database, or `memory://`.
   * Default: the directory `db` in `dataDir`.
   */
  database?: string
  /**
   * The `postgres://` URL of the same database past its pooler, where `database` leads to one in
   * transaction mode: processes hear of each other by `LISTEN`, which such a pooler loses.
   * Default: as `database`.
   */
  directDatabase?: string
  /** Directory for everything Carcosa keeps itself. Default `.carcosa`. */
  dataDir?: string
  /**
   * Who finds out who is asking, in order. Default `[apiKeys()]`: without keys nobody is known,
   * and only public routes work.
   */
  auth?: readonly AuthProvider[]
  /**
   * People who sign in, for a server whose application has none: true, or how. Adds the paths under
   * `/auth`, and `session()` to `auth`. Default false: nothing of it is loaded.
   */
  accounts?: boolean | AccountsOptions
  /** Roles of your own, or other grants for those there are: see src/auth/roles.ts. */
  roles?: Readonly<Record<string, readonly Grant[]>>
  /**
   * Whether a refusal tells the rule and what it was decided from, so also whether something
   * exists: for development. Without effect where NODE_ENV is production. Default false.
   */
  explainDenials?: boolean
  /**
   * Signs URLs and tickets, at least 32 characters. Of several the first signs and all
   * verify. Default: made once and kept: in Postgres, or beside the embedded database in `dataDir`.
   */
  secret?: string | readonly string[]
  /** Prefix of the URL that the host does not strip, e.g. `/media`. Default none. */
  basePath?: string
  /** How clients reach this server, e.g. `https://files.example.com`. Default: as asked. */
  publicUrl?: string
  /** Which web pages may talk to this server. Default: all (`*`), without credentials. */
  cors?: CorsOptions
  /** Whether the SHA-256 of every file is recorded. Default `sha-256`. */
  digest?: 'sha-256' | 'none'
  /** How long an unfinished upload lives: milliseconds or `2 days`. Default 24 hours. */
  expiresIn?: number | string
  /**
   * How old something in a store that no file knows must be before it is deleted:
   * milliseconds or `2 days`. Default 48 hours; at least an hour longer than uploads live.
   */
  orphanGrace?: number | string
  /**
   * How long a file that was deleted keeps its bytes and can be restored by `api.files.restore`:
   * milliseconds or `7 days`. Default 0: bytes are deleted at once.
   */
  deleteGrace?: number | string
  /**
   * What the server may fetch from (`api.files.uploadFromUrl`) beside the public internet, on any
   * port: addresses, networks such as `10.0.0.0/8`, `loopback` or `private`. Default nothing.
   */
  outboundNetworks?: readonly string[]
  /**
   * How long a deleted project can be restored; then it is removed with all it has. Milliseconds
   * or `7d`. Default 7 days.
   */
  projectGrace?: number | string
  /** Longest life of a signed URL: milliseconds or `7 days`. Default 7 days. */
  maxSignedUrlAge?: number | string
  /**
   * Most memory for bytes on their way to stores that take parts (S3, R2, GCS), of all
   * uploads of this process together: bytes or `96MB`. Default 96 MB.
   */
  stagingMemory?: number | string
  /** Most disk for those beyond it; then uploads wait. 0 for none. Default 1 GB. */
  stagingDisk?: number | string
  /** Where that disk is. Default: the system's directory for temporary files. */
  stagingDir?: string
  /**
   * Who may watch routes, projects, and what belongs to others, at `/events` and `/ws`. Default:
   * principals of the kind `service`.
   */
  events?: EventPermission
  /** How long events are kept for those who come back: milliseconds or `30d`. Default 30 days. */
  eventRetention?: number | string
  /** Between two signs of life on a connection that watches. Default 15 seconds. */
  eventHeartbeat?: number | string
  /** Most connections that watch, in this process. Default 10,000. */
  maxSubscribers?: number
  /**
   * The same for one client: a principal, a ticket, or an address, which behind a proxy that is
   * not one of `trustedProxies` is the proxy's. Default 100.
   */
  maxSubscribersPerClient?: number
  /**
   * Most that may wait for one of them: bytes or `256KB`. One that reads slower is dropped, and
   * may come back to where it was. Default 256 KB.
   */
  subscriberBuffer?: number | string
  /** How long the audit log is kept: milliseconds or `365d`. Default 365 days. */
  auditRetention?: number | string
  /**
   * Which requests the request log has: those of the management API, `all` but bytes and probes, or
   * none (`off`). Default `api`.
   */
  requestLog?: LoggedRequests
  /** How long the request log is kept: milliseconds or `30d`. Default 30 days. */
  requestLogRetention?: number | string
  /** Whether this process runs jobs. Default true. */
  worker?: boolean
  /** Which jobs it runs, by their queues, e.g. `['upload.complete']`. Default all. */
  queues?: readonly string[]
  /**
   * How long jobs, and the requests of `carcosa start`, may take to end when it stops;
   * uploads are then cut off at a byte from which they go on: milliseconds or `10s`.
   * Default 10 seconds.
   */
  shutdownTimeout?: number | string
  /**
   * How long requests are still served as before after stopping began and readiness says so, so
   * that load balancers notice first: milliseconds or `5s`. Comes before `shutdownTimeout`.
   * Default 0.
   */
  drainDelay?: number | string
  /**
   * The URL of a Redis through which processes hear of each other, instead of `LISTEN` and
   * `NOTIFY`: `redis://…` or `rediss://…`. Needs the package `redis`. Default none.
   */
  redis?: string
  /**
   * Silence after which the body of a request is given up; the client goes on from the offset it
   * has reached. Milliseconds or `60s`. Default 60 seconds.
   */
  idleTimeout?: number | string
  /**
   * Bytes a second, on average over `idleTimeout`, below which a body is given up in the same way:
   * bytes or `1KB`; 0 for any. Default 64.
   */
  minUploadRate?: number | string
  /**
   * How often clients may do what costs: create uploads, call `prepare`, send wrong credentials,
   * read files. `false` for no limits. Default: see {@link RateLimitOptions}.
   */
  rateLimits?: RateLimitOptions | false
  /**
   * What the default project may store; written to the database at every start, `false` to lift it.
   * Default: as it is there, which is no limit until `carcosa.api.usage.setQuota` sets one.
   */
  quota?: QuotaOptions | false
  /**
   * Whose `X-Forwarded-For` is believed: addresses, networks such as `10.0.0.0/8`, `loopback` or
   * `private`. For `carcosa.fetch`, which sees no connection: whether it is believed at all.
   * Default nobody's.
   */
  trustedProxies?: readonly string[]
  /** Where log lines go. Default: nowhere; `carcosa start` logs to standard error. */
  logger?: Logger
}

/** Origins such as `https://app.example.com`; `*` for all, an empty list for none. */
export interface CorsOptions {
  origins: '*' | readonly string[]
}

/** What `carcosa start` takes besides. */
export interface ServerOptions {
  /** Address to listen on. Default `127.0.0.1`: this machine only. */
  host?: string
  /** Port to listen on, 0 for any free one. Default 8080. */
  port?: number
  /** Directory of static files served beside the API, `index.html` at `/`. Default none. */
  page?: string
  /** The least important log line still written. Default `info`. */
  logLevel?: LogLevel
  /** Port of `/metrics`, `/healthz` and `/readyz` for operators, 0 for any free one. Default none. */
  adminPort?: number
  /** Address of that port. Default `127.0.0.1`: this machine only. */
  adminHost?: string
  /** Most connections at a time; 0 for any number. Default 10,000. */
  maxConnections?: number
  /**
   * Most connections of one client at a time, or requests where they come through one of
   * `trustedProxies`; 0 for any number. Default 0.
   */
  maxConnectionsPerClient?: number
}

/** What `carcosa.config.ts` exports by default. */
export type ConfigOptions = CarcosaOptions & ServerOptions

/** Options with every default filled in, units plain and paths absolute. */
export interface Config {
  readonly router: Router
  readonly store: Store | string | Record<string, Store | string> | undefined
  /** `postgres://…`, an absolute directory, or `memory://`. */
  readonly database: string
  readonly directDatabase: string | undefined
  /** Absolute. */
  readonly dataDir: string
  readonly auth: readonly AuthProvider[]
  readonly accounts: AccountsConfig | false
  readonly roles: Readonly<Record<string, readonly Grant[]>>
  readonly explainDenials: boolean
  /** `undefined`: make one and keep it in `dataDir`. */
  readonly secret: readonly string[] | undefined
  /** Empty, or starting and not ending with a slash. */
  readonly basePath: string
  /** Without a trailing slash. */
  readonly publicUrl: string | undefined
  readonly cors: CorsOptions
  readonly digest: 'sha-256' | 'none'
  /** Milliseconds. */
  readonly expiresIn: number
  /** Milliseconds. */
  readonly orphanGrace: number
  /** Milliseconds. */
  readonly deleteGrace: number
  readonly outboundNetworks: readonly string[]
  readonly projectGrace: number
  /** Milliseconds. */
  readonly maxSignedUrlAge: number
  /** Bytes. */
  readonly stagingMemory: number
  /** Bytes. */
  readonly stagingDisk: number
  /** Absolute; undefined: the system's. */
  readonly stagingDir: string | undefined
  readonly events: EventPermission
  /** Milliseconds. */
  readonly eventRetention: number
  /** Milliseconds. */
  readonly eventHeartbeat: number
  readonly maxSubscribers: number
  readonly maxSubscribersPerClient: number
  /** Bytes. */
  readonly subscriberBuffer: number
  /** Milliseconds. */
  readonly auditRetention: number
  readonly requestLog: LoggedRequests
  /** Milliseconds. */
  readonly requestLogRetention: number
  readonly worker: boolean
  /** `undefined`: all. */
  readonly queues: readonly string[] | undefined
  readonly logger: Logger | undefined
  readonly host: string
  readonly port: number
  /** Absolute. */
  readonly page: string | undefined
  readonly logLevel: LogLevel
  /** Milliseconds. */
  readonly shutdownTimeout: number
  /** Milliseconds. */
  readonly drainDelay: number
  readonly redis: string | undefined
  /** Milliseconds. */
  readonly idleTimeout: number
  /** Bytes a second. */
  readonly minUploadRate: number
  /** `undefined`: there is none. */
  readonly adminPort: number | undefined
  readonly adminHost: string
  /** 0: any number. */
  readonly maxConnections: number
  /** 0: any number. */
  readonly maxConnectionsPerClient: number
  readonly trustedProxies: readonly string[]
  readonly rateLimits: RateLimits
  /** `undefined`: what the database says. */
  readonly quota: QuotaLimits | undefined
}

export type SettingName = keyof Config
