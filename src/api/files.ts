import { type FileList, type ListOptions, listFiles } from '../files/list.ts'
import { type FileRecord, isReadable } from '../files/record.ts'
import type { SignRequest } from '../files/sign.ts'
import { CarcosaError } from '../shared/errors.ts'
import { assertFew, atOnce, each } from '../shared/many.ts'
import { type CopyOptions, type CopyReport, copyFiles } from '../upkeep/copy-files.ts'
import {
  type ImportOptions,
  type ImportReport,
  importObjects,
} from '../upkeep/import-objects.ts'
import { createDeleteFiles, type DeleteFiles } from './delete-files.ts'
import type { ApiDeps } from './deps.ts'
import { createEditFiles, type EditFiles } from './edit-files.ts'
import { type FileReference, findReferred, noFile } from './file-reference.ts'
import { createUploadFiles, type UploadFiles } from './upload-files.ts'
import { withoutMemo } from './without-memo.ts'

export type SignOptions = Partial<Omit<SignRequest, 'fileId'>>

/**
 * The files of a Carcosa, for the program it runs in. Nothing here asks who is calling. Where a
 * file is named, that is by its id, or as `{ customId }`.
 */
export interface FilesApi extends UploadFiles, EditFiles, DeleteFiles {
  /**
   * Newest first, in pages, or by name with `prefix`.
   * @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST
   */
  list(options?: ListOptions): Promise<FileList>
  /** In any state; null if there never was one. By custom id: one that has not ended. */
  get(file: FileReference): Promise<FileRecord | null>
  /**
   * A URL that lets anybody read one file for a while, behind `base`. Default: relative to the
   * mount point's origin unless `publicUrl` is configured.
   * @throws {CarcosaError} FILE_NOT_FOUND
   */
  sign(file: FileReference, options?: SignOptions, base?: string): Promise<string>
  /**
   * The same for at most 500, in their order; null for those that cannot be read.
   * @throws {CarcosaError} BAD_REQUEST for more
   */
  signMany(
    files: readonly FileReference[],
    options?: SignOptions,
    base?: string,
  ): Promise<(string | null)[]>
  /**
   * Where a client finds a file: plain if everybody may read it, else signed for an hour.
   * @throws {CarcosaError} FILE_NOT_FOUND
   */
  url(file: FileReference, base?: string): Promise<string>
  /** The same of a record, without asking the database. */
  link(file: FileRecord, base?: string): string
  /**
   * Copies the files of one store to another, each verified; done again, it goes on where it
   * stopped. Where the server may be busy with the same store, do it again until nothing was
   * copied.
   * @throws {CarcosaError} STORE_UNKNOWN, BAD_REQUEST
   */
  copy(options: CopyOptions): Promise<CopyReport>
  /**
   * Adopts the objects that are in a store and no row knows, in place.
   * @throws {CarcosaError} STORE_UNKNOWN, ROUTE_NOT_FOUND, BAD_REQUEST
   */
  import(options: ImportOptions): Promise<ImportReport>
}

const defaultExpiresIn = '1h'

export function createFilesApi(deps: ApiDeps): FilesApi {
  const { uploads, signer, closing, run } = deps
  const { db, settings } = uploads
  const signed = (id: string, options: SignOptions, base: string | null) => {
    const request = { expiresIn: defaultExpiresIn, ...options, fileId: id }
    return `${settings.fileUrl(id, base)}?${signer.sign(request)}`
  }
  const find = (reference: FileReference) => findReferred(uploads, reference)
  const findReadable = async (reference: FileReference) => {
    const file = await find(reference)
    if (file && isReadable(file.state)) return file
    throw noFile(reference)
  }
  const link = (file: FileRecord, base?: string) => {
    if (file.acl === 'public-read') return settings.fileUrl(file.id, base ?? null)
    return signed(file.id, {}, base ?? null)
  }

  return {
    ...createUploadFiles(uploads, run),
    ...createEditFiles(deps),
    ...createDeleteFiles(deps),
    async list(options = {}) {
      const page = await run(() => listFiles(db, settings.projectId, options))
      return { ...page, files: page.files.map(withoutMemo) }
    },
    async get(reference) {
      const file = await run(() => find(reference))
      return file && withoutMemo(file)
    },
    async sign(reference, options = {}, base) {
      const { id } = await run(() => findReadable(reference))
      return signed(id, options, base ?? null)
    },
    async signMany(references, options = {}, base) {
      assertFew(references)
      const found = await run(() => each(references, atOnce, find))
      return found.map((file) => {
        if (file instanceof CarcosaError) throw file
        if (!file || !isReadable(file.state)) return null
        return signed(file.id, options, base ?? null)
      })
    },
    url: async (reference, base) => link(await run(() => findReadable(reference)), base),
    link,
    copy: (options) => run(() => copyFiles(uploads, untilClosing(closing, options))),
    import: (options) =>
      run(() => importObjects(uploads, untilClosing(closing, options))),
  }
}

/** Ends also when closing begins: what is left can be done later. */
function untilClosing<Options extends { signal?: AbortSignal }>(
  closing: AbortSignal,
  options: Options,
): Options {
  const { signal } = options
  return { ...options, signal: signal ? AbortSignal.any([closing, signal]) : closing }
}
