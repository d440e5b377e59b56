import type { RateRules } from '../shared/rate-limits.ts'
import type {
  MaybePromise,
  MiddlewareArgs,
  MiddlewareResult,
  StoreChoice,
  UploadCompleteArgs,
  UploadErrorArgs,
} from './hooks.ts'
import type { StandardSchemaV1 } from './standard-schema.ts'

/** The limits for one type of a route, all filled in. */
export interface TypeRule {
  /** Bytes. */
  readonly maxFileSize: number
  /** Bytes. */
  readonly minFileSize: number
  /** Files of this type in one batch. */
  readonly maxFileCount: number
  /** Files of this type in one batch that has any of them. */
  readonly minFileCount: number
  readonly contentDisposition: 'inline' | 'attachment'
  readonly acl: 'private' | 'public-read'
  /** Handed to clients with `GET /routes`; never looked at here. */
  readonly additionalProperties?: Readonly<Record<string, unknown>>
}

/** A finished route as the server runs it: frozen, without the types of the builder. */
export interface RouteDefinition {
  /** `image video audio pdf text blob`, or a type such as `image/png`, in usual spelling. */
  readonly types: Readonly<Record<string, TypeRule>>
  /** Whether the client waits for the completion callback. */
  readonly awaitServerData: boolean
  /** Milliseconds an upload ticket is good for. */
  readonly ticketTTL: number
  /** Which type wins when the bytes say another one than the client. */
  readonly trustedType: 'detected' | 'declared'
  /** Whether a request without a principal may upload. */
  readonly isPublic: boolean
  /** Milliseconds an unfinished upload lives; null for the server's default. */
  readonly expiresIn: number | null
  /** How often uploads to it may be created; null for the server's limits. */
  readonly rateLimit: RateRules | null
  /** Name of the store, or how to choose it; null for the server's default. */
  readonly store: string | ((args: StoreChoice) => string) | null
  /** Name of the store that gets a copy of every stored file; null for none. */
  readonly mirror: string | null
  /** Whether this server sends files to readers, or the store after a redirect. */
  readonly serve: 'proxy' | 'redirect'
  /** Whether bytes may go from the client to the store. */
  readonly isDirect: boolean
  readonly inputSchema: StandardSchemaV1 | null
  readonly middleware: ((args: MiddlewareArgs) => MaybePromise<MiddlewareResult>) | null
  readonly onUploadComplete: ((args: UploadCompleteArgs) => unknown) | null
  readonly onUploadError: ((args: UploadErrorArgs) => unknown) | null
}

/** A route under the name it has in its router. */
export interface NamedRoute extends RouteDefinition {
  readonly name: string
}

/** What the type of a route remembers for clients. */
export interface RouteTypes {
  /** What the client has to give. */
  input: unknown
  /** What the middleware found out. */
  metadata: unknown
  /** What the client gets back. */
  serverData: unknown
}

/**
 * One route of a router. `route()` makes it; its builder *is* a route, so no last step is
 * needed.
 */
export interface Route<Types extends RouteTypes = RouteTypes> {
  readonly definition: RouteDefinition
  /** Only a type: never there while running. */
  readonly $types?: Types
}
