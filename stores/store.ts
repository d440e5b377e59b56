import type { Readable } from 'node:stream'
import type { Staging } from './writing/staging.ts'

/**
 * The contract of a store: where bytes live. A store knows keys and bytes, never uploads,
 * owners or states; those are in Postgres, and so is all that must be remembered of an object
 * while it grows. A store keeps nothing in its process that another process would need.
 *
 * The core is what an upload cannot do without. The rest is optional and told by presence:
 * what a store leaves out is done in the way written beside the member, or refused.
 *
 * Glossary
 *   key        names one object; letters, digits and `!-_.*'()/`, at most 512 of them
 *   offset     how many bytes of an object, from its start and without a hole, are safe
 *   part       bytes of an unfinished object that the store holds and gave a receipt for
 *   staged     bytes behind the last part, too few for one, which the caller keeps
 *   memo       what a store wants remembered of an unfinished object
 *   complete   turns an unfinished object into a readable one
 */
export interface Store {
  /** Short kind, e.g. `file`; used in messages and logs. */
  readonly kind: string

  /**
   * Prepares the store (directories, credentials); may be called twice. Does not write.
   * @throws {CarcosaError} CONFIG_INVALID, STORAGE_UNAVAILABLE
   */
  start(context?: StoreContext): Promise<void>

  /**
   * Proves at little cost that uploads can be stored, without writing: asked every few seconds, by
   * whoever decides whether this process gets requests. Default: nothing is known against it.
   * @throws {CarcosaError} STORAGE_UNAVAILABLE, STORAGE_FULL
   */
  probe?(): Promise<void>

  /** The key of a new object, which must contain its id. Default: the id. */
  keyFor?(object: NewObject): string

  /**
   * Appends `source` to an object that stands at `object.offset`, creates it if that is 0, and
   * resolves with the offset that is safe when it ends. Before that it has told all that the
   * caller must remember by `source.onStored`.
   *
   * A source that breaks off is not an error: what arrived is kept and its offset returned.
   * With a known `object.size` the write that reaches it leaves nothing staged.
   *
   * @throws {CarcosaError} STORAGE_FULL or STORAGE_UNAVAILABLE if the store fails: what
   *   `onStored` told is safe; STORAGE_CORRUPT if bytes before `object.offset` are lost
   */
  write(object: GrowingObject, source: ByteSource): Promise<number>

  /**
   * Makes a finished object of exactly `size` bytes. Idempotent, also after a crash half way.
   * @throws {CarcosaError} STORAGE_CORRUPT if it holds another number of bytes
   */
  complete(object: GrowingObject, size: number): Promise<void>

  /**
   * Stores a whole object in one go, replacing one that is there. Resolves with its size.
   * @throws what `body` fails with; then there is no object
   */
  put(key: string, body: Readable | Buffer, info: PutInfo): Promise<number>

  /**
   * Opens a finished object, or the inclusive byte `range` of it, for reading; `null` if there
   * is none. `size` is of the whole object. Destroying the stream stops the read.
   */
  open(key: string, range?: ByteRange): Promise<OpenedObject | null>

  /** Size of a finished object; `null` if there is none. */
  stat(key: string): Promise<{ size: number } | null>

  /** Deletes an object and, with the `memo` of an unfinished one, its parts. Absence is no failure. */
  remove(key: string, memo?: Memo | null): Promise<void>

  /**
   * Where an unfinished object really stands: at or beyond `object.offset` if a crash came
   * between storing and remembering, before it if bytes were lost. Without it what the caller
   * remembers is taken for true, which must then be so.
   */
  offset?(object: GrowingObject): Promise<Progress>

  /** A URL that lets anybody read the object for a while. Without it the server passes bytes on. */
  signedUrl?(key: string, grant: UrlGrant): Promise<string>

  /** All finished objects of this store, and nobody else's. Without it orphans are not looked for. */
  list?(): AsyncIterable<ListedObject>

  /** What was begun and never finished, of this store alone. Without it there is nothing to abort. */
  listUnfinished?(): AsyncIterable<UnfinishedObject>

  /**
   * Gives up what was begun, and leaves a finished object of the same key alone. Absence is no
   * failure. Without it what `listUnfinished` tells is counted, and stays.
   */
  abort?(unfinished: UnfinishedObject): Promise<void>

  /**
   * Whether nobody else keeps objects where this store lists. If not, it is not known whose an
   * object without a row is, so that nothing is collected. Default: true.
   */
  readonly exclusive?: boolean

  /** Copies within the store without the bytes passing here. Without it they pass here. */
  copy?(from: string, to: string): Promise<void>

  /** Uploads whose bytes go from the client to the store. Without it a route cannot be `direct`. */
  readonly direct?: DirectUploads
}

/** What the process gives to its stores. */
export interface StoreContext {
  /** Memory and disk for bytes on their way, shared by all stores of the process. */
  readonly staging: Staging
}

/** What is known of a file when its key is chosen. Names and owners are what clients say. */
export interface NewObject {
  readonly id: string
  readonly route: string
  readonly projectId: string
  readonly ownerId: string | null
  readonly filename: string | null
}

/** JSON of a store's own about an unfinished object, e.g. the id of a multipart upload. */
export type Memo = Readonly<Record<string, unknown>>

/** An object that is being written, as its caller remembers it. */
export interface GrowingObject {
  readonly key: string
  /** Bytes that are safe, in the store or staged. */
  readonly offset: number
  /** Bytes it will have; null while unknown. */
  readonly size: number | null
  /** Most it may have, where `size` is unknown. */
  readonly maxSize: number
  /** The last memo told; null before the first. */
  readonly memo: Memo | null
  /**
   * Since the last part was told, a writer in another process was overtaken and never heard to
   * end: parts that it began to send may still arrive, under numbers behind the last one told.
   */
  readonly contested?: boolean
  /**
   * Nothing of this key can be there, unless it was given out twice: a store that can tell at no
   * cost refuses with OBJECT_EXISTS then, and leaves what is there as it is. Default false.
   */
  readonly fresh?: boolean
  /** All parts told, in order. */
  parts(): Promise<Part[]>
  /** The staged bytes: those that end at `offset` and are in no part. */
  staged(): Promise<Buffer[]>
  /**
   * What to attach to the object, by its first bytes (4100 of them, or all). A store that
   * attaches it at the beginning asks before it sends the first byte.
   * @throws {CarcosaError} if the object is refused for what its bytes say it is
   */
  describe(head: Buffer): Promise<ObjectInfo>
}

/** A part as it is remembered. */
export interface Part {
  /** From 1 on. */
  readonly number: number
  readonly size: number
  /** What the store answered for it, e.g. an ETag. */
  readonly receipt: string
}

/** What became safe, and all that must be remembered of it. */
export interface Progress {
  /** Every byte before it is in a part or staged. */
  readonly offset: number
  /** Replaces the memo. Default: unchanged. */
  readonly memo?: Memo
  /** New parts. */
  readonly parts?: readonly Part[]
  /** Bytes before this are in the store for good: staged ones may be forgotten. */
  readonly settled?: number
  /** Bytes that end at `offset` and that the caller keeps; not used by the store afterwards. */
  readonly staged?: Buffer
}

/** Inclusive byte positions, as in `Range: bytes=start-end`. */
export interface ByteRange {
  start: number
  end: number
}

export interface OpenedObject {
  /** Of the whole object. */
  readonly size: number
  readonly stream: Readable
}

/** What a store may attach to an object; one that cannot leaves it out. */
export interface ObjectInfo {
  readonly contentType?: string
  /** The whole header. */
  readonly contentDisposition?: string
  /** Names of lower case letters, digits and hyphens; values of printable ASCII. */
  readonly metadata?: Readonly<Record<string, string>>
}

export interface PutInfo extends ObjectInfo {
  /** Bytes of the body, where known beforehand. */
  readonly size?: number
}

/** What a signed URL answers with, whatever is attached to the object. */
export interface UrlGrant {
  /** Milliseconds. */
  readonly expiresIn: number
  readonly contentType: string
  readonly contentDisposition: string
  readonly cacheControl: string
}

export interface ListedObject {
  readonly key: string
  readonly size: number
  readonly modifiedAt: Date
}

export interface UnfinishedObject {
  readonly key: string
  /** For `remove` and `abort`. What a caller remembers of the same object has all of it, too. */
  readonly memo: Memo
  readonly startedAt: Date
}

/** Uploads past the server: the client sends parts to URLs, and tells their receipts. */
export interface DirectUploads {
  /** Begins an object of `size` bytes. */
  begin(key: string, size: number, options: DirectOptions): Promise<DirectUpload>
  /**
   * Finishes it from the receipts the client was given. Idempotent.
   * @throws {CarcosaError} UPLOAD_INCOMPLETE if a part is missing or another than received
   */
  finish(key: string, memo: Memo, receipts: readonly string[]): Promise<void>
}

export interface DirectOptions {
  readonly info: ObjectInfo
  /** How long the URLs work, in ms. */
  readonly expiresIn: number
}

export interface DirectUpload {
  readonly memo: Memo
  /** To be sent with `PUT`, in order; together they are the object. */
  readonly parts: readonly {
    url: string
    size: number
    headers: Record<string, string>
  }[]
}

/**
 * The bytes of one request on their way to a store, pulled by the store.
 *
 * The stream may be Node's request itself: the store must not assume that it ends; when it
 * breaks off it emits `aborted`, `error` or `close` without `end`.
 */
export interface ByteSource {
  readonly stream: Readable
  /** Called with each chunk, in order, before it is written. Counts, hashes and sniffs. */
  onChunk(chunk: Buffer): void
  /** Called whenever more became safe. */
  onStored(progress: Progress): void
  /** Most bytes the store may take from the stream. */
  readonly limit: number
  /** Called once if the stream has more than `limit`; the store then ends, and keeps less. */
  onExcess(): void
  /** Aborted when the source must end early; what arrived is kept. */
  readonly signal: AbortSignal
}
