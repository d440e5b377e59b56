/** Who is asking. Providers produce it, everything else only reads it. */
export interface Principal {
  /** Stable id of the caller; stored as the owner of what they upload. */
  readonly id: string
  readonly kind: 'user' | 'api-key' | 'service'
  /** Anything the provider wants middleware to see. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** What a provider may look at. The body is not part of it. */
export interface AuthRequest {
  readonly method: string
  /** Path and query as the client sent them. */
  readonly url: string
  readonly headers: Headers
}

/**
 * Finds out who is asking.
 *
 * Called for every request in the order configured; the first principal wins. `null` means
 * "no credential of mine here"; a credential that is present but wrong must throw, so that
 * order cannot hide it.
 */
export interface AuthProvider {
  readonly name: string
  authenticate(request: AuthRequest): Promise<Principal | null> | Principal | null
}
