import type { FileHandle } from './handles.ts'

/** A file somebody chose, with its handle where the browser gives one. */
export interface Picked {
  readonly file: File
  readonly handle: FileHandle | null
}
