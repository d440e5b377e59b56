import type { Memo } from '../../stores/store.ts'

/** The states a file passes through; src/uploads/state.ts says which steps are allowed. */
export const fileStates = Object.freeze([
  'created',
  'receiving',
  'stored',
  'processing',
  'ready',
  'failed',
  'rejected',
  'expired',
  'removed',
  'quarantined',
] as const)

export type FileState = (typeof fileStates)[number]

/** Complete and not withdrawn: what `GET /files/:id` may serve. */
export const readableStates: readonly FileState[] = ['stored', 'processing', 'ready']

export function isReadable(state: FileState): boolean {
  return readableStates.includes(state)
}

/** The states from which nothing comes any more, but for what may be restored. */
export const endedStates: readonly FileState[] = [
  'failed',
  'rejected',
  'expired',
  'removed',
]

/** All but those: a custom id belongs to its file for as long as it is in one of them. */
export const livingStates = fileStates.filter((state) => !endedStates.includes(state))

/**
 * One upload and the file it becomes, as the rest of the program sees the row `carcosa.file`.
 * Byte counts are safe integers (at most 2^53 − 1), times are Dates.
 */
export interface FileRecord {
  readonly id: string
  readonly projectId: string
  readonly ownerId: string | null
  readonly route: string
  readonly state: FileState
  readonly filename: string | null
  readonly declaredType: string | null
  readonly detectedType: string | null
  readonly contentType: string | null
  readonly contentDisposition: 'inline' | 'attachment'
  readonly acl: 'private' | 'public-read'
  /** Total bytes; null while a deferred length is unknown. */
  readonly size: number | null
  /** Bytes acknowledged; never decreases. */
  readonly offset: number
  readonly storeName: string
  readonly key: string
  /**
   * What the store wants remembered while the object grows; null once it is finished, and in
   * what programs are given.
   */
  readonly storeMemo: Memo | null
  readonly input: unknown
  readonly metadata: unknown
  readonly rawMetadata: string | null
  readonly sha256: string | null
  readonly batchId: string | null
  readonly batchIndex: number | null
  /** What the application calls it; unique in its project among files that have not ended. */
  readonly customId: string | null
  readonly tags: readonly string[]
  /** What of how it is shown was decided by who uploaded it, and not by its route. */
  readonly pinned: readonly Pinnable[]
  /** How often name, tags, acl or custom id were changed; see `ifMatch` of `api.files.update`. */
  readonly revision: number
  readonly serverData: unknown
  readonly failure: Failure | null
  readonly attempts: number
  readonly claimedUntil: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly storedAt: Date | null
  readonly readyAt: Date | null
  readonly expiresAt: Date | null
  /** When the bytes of a file that has ended were deleted. */
  readonly purgedAt: Date | null
  /**
   * Until when a removed file keeps its bytes and can be restored (`deleteGrace`); null if they
   * go, or went, at once.
   */
  readonly purgeAfter: Date | null
}

/** Why a file failed or was rejected. */
export interface Failure {
  code: string
  message: string
}

/** What is known of a file when its upload is created. */
export type NewFile = Pick<
  FileRecord,
  | 'id'
  | 'projectId'
  | 'ownerId'
  | 'route'
  | 'filename'
  | 'declaredType'
  | 'contentDisposition'
  | 'acl'
  | 'size'
  | 'storeName'
  | 'key'
  | 'input'
  | 'metadata'
  | 'rawMetadata'
  | 'batchId'
  | 'batchIndex'
  | 'expiresAt'
> &
  Labels

/** How a file is shown: what its route says of its type, unless whoever uploads it does. */
export type Pinnable = 'acl' | 'contentDisposition'

/** What an application says of a file of its own accord. Most files have none. */
export type Labels = Partial<Pick<FileRecord, 'customId' | 'tags' | 'pinned'>>

/** The record of a row that was just inserted: what was given, and the columns' defaults. */
export function newRecord(file: NewFile, createdAt: Date): FileRecord {
  return {
    customId: null,
    tags: [],
    pinned: [],
    ...file,
    revision: 0,
    state: 'created',
    offset: 0,
    storeMemo: null,
    detectedType: null,
    contentType: null,
    sha256: null,
    serverData: null,
    failure: null,
    attempts: 0,
    claimedUntil: null,
    createdAt,
    updatedAt: createdAt,
    storedAt: null,
    readyAt: null,
    purgedAt: null,
    purgeAfter: null,
  }
}

/** Columns a change of state may set beside the state itself. */
export type FileChanges = Partial<
  Pick<
    FileRecord,
    | 'offset'
    | 'size'
    | 'detectedType'
    | 'contentType'
    | 'contentDisposition'
    | 'acl'
    | 'sha256'
    | 'serverData'
    | 'failure'
    | 'attempts'
    | 'claimedUntil'
    | 'storedAt'
    | 'readyAt'
    | 'expiresAt'
    | 'purgedAt'
    | 'purgeAfter'
    | 'storeMemo'
  >
>
