import type { Readable } from 'node:stream'
import type { Principal } from '../auth/principal.ts'

/** A request as it reached us, whichever door it came through: Node's pair or a web Request. */
export interface Incoming {
  readonly method: string
  /** Path as the client sent it, without the query. */
  readonly path: string
  /** What a mounting framework already cut off in front of `path`. */
  readonly stripped: string
  /** With the question mark; empty if there is none. */
  readonly search: string
  readonly headers: Headers
  /** Where it comes from, which may be a proxy that is not trusted; null if nobody says. */
  readonly address: string | null
  /** Lines of headers that were sent; 0 where that is not known. */
  readonly headerCount: number
  /** A signal that is aborted when the client goes away; made when asked for. */
  gone(): AbortSignal
  /** Whether there is a body that is not empty, as far as its framing tells. */
  readonly hasBody: boolean
  /** Whether somebody consumed the body before us. */
  readonly bodyAlreadyRead: boolean
  /** Whether somebody else answers what is not for us, e.g. the routes of the host. */
  readonly mayDecline: boolean
  /** What a body parser in front of us made of the body, if it did. */
  readonly parsedBody: unknown
  /** Begins reading the body; sends `100 Continue` where the client waits for it. */
  openBody(): Readable
}

/** An {@link Incoming} that was found to be for us. */
export interface Located extends Incoming {
  /** What clients put in front of our paths: `''` or e.g. `/media`. */
  readonly prefix: string
  /** Segments behind the prefix, e.g. `['uploads', 'avatar', '<id>']`, still encoded. */
  readonly segments: readonly string[]
  /**
   * Who is counted as one client: an address, or the network of one; null if nobody says. Behind
   * a proxy that is trusted it is the one that proxy names.
   */
  readonly client: string | null
  /** Who asks; found out once, when first needed. */
  principal(): Promise<Principal | null>
}
