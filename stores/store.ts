import type { Readable } from 'node:stream'

/**
 * The contract of a store: where bytes live. A store knows keys and bytes, never uploads,
 * owners or states; those are in Postgres.
 *
 * Glossary: *key* names one object; *offset* is how many bytes, from the start and without
 * a hole, the store holds safely; *complete* turns a resumable object into a readable one.
 */
export interface Store {
  /** Short kind, e.g. `file`; used in messages and logs. */
  readonly kind: string

  /** Prepares the store (directories, credentials). Throws CONFIG_INVALID or STORAGE_UNAVAILABLE. */
  start(): Promise<void>

  /**
   * Appends `source` to the object `key` at `offset`, which equals what `offset()` would
   * answer. Creates the object with its first byte (or when `offset` is 0 and the source is
   * empty). Returns the offset that is safe when it ends.
   *
   * A source that breaks off is not an error: what arrived is kept and its offset returned.
   * Throws STORAGE_FULL or STORAGE_UNAVAILABLE when the store itself fails; `offset()` then
   * says what was kept.
   */
  write(key: string, offset: number, source: ByteSource): Promise<number>

  /** How many contiguous bytes of `key` are safe; 0 for an object that does not exist. */
  offset(key: string): Promise<number>

  /**
   * Makes `key` a finished object of exactly `size` bytes. Idempotent.
   * Throws STORAGE_CORRUPT if it holds another number of bytes.
   */
  complete(key: string, size: number, info: ObjectInfo): Promise<void>

  /**
   * Opens a finished object, or the inclusive byte `range` of it, for reading.
   * `null` if there is no such object. Destroying the stream stops the read.
   */
  open(key: string, range?: ByteRange): Promise<Readable | null>

  /** Size of an object, finished or not; `null` if there is none. */
  stat(key: string): Promise<{ size: number } | null>

  /** Deletes `key`, finished or not. Absence is not failure. */
  remove(key: string): Promise<void>
}

/** Inclusive byte positions, as in `Range: bytes=start-end`. */
export interface ByteRange {
  start: number
  end: number
}

/** What a store may attach to a finished object. */
export interface ObjectInfo {
  contentType?: string
  contentDisposition?: string
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
  /** Called whenever more bytes became safe, with the new offset. */
  onStored(offset: number): void
  /** Most bytes the store may take from the stream. */
  readonly limit: number
  /** Called once if the stream has more than `limit`; the store then ends, and keeps less. */
  onExcess(): void
  /** Aborted when the source must end early; what arrived is kept. */
  readonly signal: AbortSignal
}
