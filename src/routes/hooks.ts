import type { Principal } from '../auth/principal.ts'
import type { CarcosaError } from '../shared/errors.ts'

/** A value, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/** What a client says about a file before it sends it. */
export interface FileInfo {
  /** Empty if the client gave none. Never a path to trust. */
  readonly name: string
  /** Bytes; null while the length is deferred. */
  readonly size: number | null
  /** Declared type, empty if the client gave none. Not to be trusted before the bytes are here. */
  readonly type: string
  /** Milliseconds since 1970. */
  readonly lastModified?: number
}

/** A file that has arrived, as the completion callback sees it. */
export interface UploadedFile {
  readonly id: string
  /** The route it was uploaded to. */
  readonly route: string
  /** Empty if the client gave none. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** The type it is served as. */
  readonly type: string
  /** Milliseconds since 1970, if the client said. */
  readonly lastModified?: number
  /** Hexadecimal, of the whole file; null where the digest is off or still being made. */
  readonly sha256: string | null
  /** Where it is served, without a signature: a private file needs one on top. */
  readonly url: string
}

/**
 * Property under which middleware returns new names for its files, one entry for each file
 * and in the same order. It does not become part of the metadata. Only the name may change, and
 * `customId` and `tags` be added. (UploadThing: `UTFiles`.)
 *
 * @example
 * .middleware(({ files }) => ({
 *   [renamedFiles]: files.map((file) => ({ ...file, name: slug(file.name) })),
 * }))
 */
export const renamedFiles: unique symbol = Symbol.for('carcosa.renamedFiles')

/** One entry of {@link renamedFiles}; what is given beside the name must be unchanged. */
export type RenamedFile = Pick<FileInfo, 'name'> &
  Partial<FileInfo> & {
    /** What the application calls it: 1 to 256 characters, of one file of the project at a time. */
    readonly customId?: string
    /** At most 32, each of 1 to 100 characters. */
    readonly tags?: readonly string[]
  }

/** What middleware may return: an object that becomes the metadata, or nothing. */
export type MiddlewareResult =
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is one that only checks
  (object & { readonly [renamedFiles]?: readonly RenamedFile[] }) | void

/** What `.middleware()` is called with, before a byte is sent and after the limits held. */
export interface MiddlewareArgs<P = Principal | null, Input = unknown> {
  /** Who asks; null only on a public route. */
  readonly principal: P
  /** What the schema of `.input()` made of the client's input; undefined without one. */
  readonly input: Input
  /** The whole batch of a pre-flight, or the one file of a plain tus client. */
  readonly files: readonly FileInfo[]
  readonly request: Request
}

/** What `.store()` chooses by, after the middleware. */
export interface StoreChoice<P = Principal | null, Input = unknown, Metadata = unknown> {
  readonly route: string
  readonly principal: P
  readonly input: Input
  readonly metadata: Metadata
  readonly file: FileInfo
}

/**
 * What `.onUploadComplete()` is called with when the file is stored. Input and metadata have
 * been through JSON: a Date is a string here.
 */
export interface UploadCompleteArgs<Input = unknown, Metadata = unknown> {
  readonly file: UploadedFile
  readonly metadata: Metadata
  readonly input: Input
  /** Id of who uploaded; null for nobody in particular. */
  readonly principalId: string | null
  /**
   * The same for every attempt at this file. The callback runs again if the process died
   * while it ran, so give this key to whatever must happen only once.
   */
  readonly idempotencyKey: string
  /** Of the request that sent the last byte, as log lines have it; null where there was none. */
  readonly requestId: string | null
  /** W3C trace context of that request, for calls you make in turn; null if the client sent none. */
  readonly traceparent: string | null
  /** What belongs to it; null if the client sent none. */
  readonly tracestate: string | null
}

/** What `.onUploadError()` is called with when a file that was begun will not arrive. */
export interface UploadErrorArgs<Metadata = unknown> {
  readonly error: CarcosaError
  readonly file: FileInfo & { readonly id: string }
  readonly metadata: Metadata
}
