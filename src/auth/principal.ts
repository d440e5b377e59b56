/**
 * Who is asking. Providers produce it; what it may do is decided by `can()` of permissions.ts
 * alone.
 */
export interface Principal {
  /**
   * Stable id of the caller, 1 to 256 characters; stored as the owner of what they upload. The ids
   * of all providers share one space: give them a prefix where two providers could name different
   * people the same.
   */
  readonly id: string
  /**
   * `anonymous` is a visitor who is recognised but is nobody in particular, such as a guest with a
   * cookie: only public routes are open to it. `system` is the program itself, which no request
   * ever is.
   */
  readonly kind: 'user' | 'api-key' | 'service' | 'anonymous' | 'system'
  /** Default none. */
  readonly organizationId?: string | null
  /** The project it acts in; of others it sees nothing. Default: the default project. */
  readonly projectId?: string
  /** A role of the table in roles.ts, or of the option `roles`. Default `user`. */
  readonly role?: string
  /** What narrows its role. Default nothing. */
  readonly scopes?: Scopes | null
  /** Anything the provider wants middleware to see. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** What narrows a role: never more than the role allows, of that only what both lists name. */
export interface Scopes {
  /** Names of routes; what belongs to another route, or to none, is out. Default all. */
  readonly routes?: readonly string[]
  /** Grants as in roles.ts. Default all. */
  readonly actions?: readonly string[]
}

/** What a provider may look at. The body is not part of it. */
export interface AuthRequest {
  readonly method: string
  /** Path and query as the client sent them. */
  readonly url: string
  readonly headers: Headers
  /** Where the request comes from; null or absent where that is not known. */
  readonly address?: string | null
}

/**
 * Finds out who is asking.
 *
 * Called for every request in the order configured; the first principal wins. `null` means
 * "no credential of mine here"; a credential that is present but wrong must throw, so that
 * order cannot hide it: `new CarcosaError('UNAUTHENTICATED')`, or `AUTH_UNAVAILABLE` where it
 * cannot be judged at the moment. `testAuthProvider` of `carcosa/testing` checks all of this.
 */
export interface AuthProvider {
  readonly name: string
  authenticate(request: AuthRequest): Promise<Principal | null> | Principal | null
  /**
   * Whether the principal with this id was shut out since it got a ticket. Tickets outlive
   * sessions, so whoever comes with a ticket alone is not authenticated again; this is how a
   * revoked credential ends their uploads all the same. `where` is what the ticket is for; without
   * it the question is whether they are shut out everywhere. Default: never.
   */
  isShutOut?(principalId: string, where?: TicketPlace): Promise<boolean> | boolean
  /**
   * Called once; `tell` is to be called with the id of a principal, or `*`, whenever its credential
   * may have become worthless, or its role another. Connections that stay open are then judged
   * again within seconds instead of within half a minute. Default: nothing is told.
   */
  onChange?(tell: (principalId: string) => void): void
  /**
   * Called once by every Carcosa that uses the provider, with what it offers; what is returned is
   * asked in its place. For providers that need the database. Default: the provider itself.
   */
  connect?(services: AuthServices): AuthProvider
}

/** Where a ticket lets its holder upload. */
export interface TicketPlace {
  readonly projectId: string
  readonly route: string
}

/** What a Carcosa offers its providers. */
export interface AuthServices {
  /** Finds out whose API key `token` is. @see AuthProvider for what it returns and throws */
  authenticateKey(token: string, address: string | null): Promise<Principal | null>
  isKeyShutOut(principalId: string): Promise<boolean>
  /** The sessions of the built-in accounts, where the option `accounts` is on. */
  readonly sessions?: SessionServices
}

/** What knows who is signed in. */
export interface SessionServices {
  /** @see AuthProvider for what it returns and throws */
  authenticate(request: AuthRequest): Promise<Principal | null>
  /**
   * Whether a user was disabled, or is gone. With `where` also: whether by what they are now in the
   * organization of the project they could not begin an upload there.
   */
  isUserShutOut(principalId: string, where?: TicketPlace): Promise<boolean>
  onChange(tell: (principalId: string) => void): void
}

/** Nothing at all: of somebody who is in no project. */
export const noScopes: Scopes = Object.freeze({ routes: [], actions: [] })

/** Somebody as a member of an organization, whose projects they need not be in. */
export function asMember(
  principal: Principal,
  member: { organizationId: string; role: string },
): Principal {
  const { scopes = null } = principal
  const isNowhere = scopes?.routes?.length === 0 && scopes.actions?.length === 0
  return { ...principal, ...member, scopes: isNowhere ? null : scopes }
}
