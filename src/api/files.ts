import { type FileList, type ListOptions, listFiles } from '../files/list.ts'
import { type FileRecord, isReadable } from '../files/record.ts'
import { findFile, renameFile } from '../files/records.ts'
import type { SignRequest } from '../files/sign.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isId } from '../shared/ids.ts'
import { type CopyOptions, type CopyReport, copyFiles } from '../upkeep/copy-files.ts'
import {
  type ImportOptions,
  type ImportReport,
  importObjects,
} from '../upkeep/import-objects.ts'
import { sizeOf, toBytes, type UploadBody } from '../uploads/body.ts'
import { type ProgramUpload, uploadFromProgram } from '../uploads/from-program.ts'
import { remove } from '../uploads/lifecycle.ts'
import type { ApiDeps } from './deps.ts'

/** The files of a Carcosa, for the program it runs in. Nothing here asks who is calling. */
export interface FilesApi {
  /**
   * Uploads through the same write path as a client: the route's limits, the store, the
   * record, the events and the completion callback. Its input and middleware are for
   * clients and are not run; give `metadata` instead. Resolves when the file is stored.
   *
   * @throws {CarcosaError} what the route refuses, STORAGE_FULL, ROUTE_NOT_FOUND
   */
  upload(body: UploadBody, options: ProgramUpload): Promise<FileRecord>
  /** Newest first, in pages. @throws {CarcosaError} CURSOR_INVALID */
  list(options?: ListOptions): Promise<FileList>
  /** In any state; null if there never was one. */
  get(id: string): Promise<FileRecord | null>
  /**
   * A URL that lets anybody read one file for a while, behind `base`. Default: relative to the
   * mount point's origin unless `publicUrl` is configured.
   * @throws {CarcosaError} FILE_NOT_FOUND
   */
  sign(
    id: string,
    options?: Partial<Omit<SignRequest, 'fileId'>>,
    base?: string,
  ): Promise<string>
  /**
   * Changes the name readers see: text of 1 to 4096 characters. With `ifUpdatedAt` only a file that
   * is as it was then.
   * @throws {CarcosaError} FILE_NOT_FOUND, BAD_REQUEST, PRECONDITION_FAILED
   */
  rename(
    id: string,
    filename: string,
    condition?: { ifUpdatedAt?: Date },
  ): Promise<FileRecord>
  /** Deletes record and bytes; false if there was nothing left to delete. */
  delete(id: string): Promise<boolean>
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
  /** Where a client finds a file: signed for an hour if it is private. */
  link(file: FileRecord, base?: string): string
}

const defaultExpiresIn = '1h'
const maxNameLength = 4096

export function createFilesApi({ uploads, signer, closing, run }: ApiDeps): FilesApi {
  const { bus, db, feed, settings } = uploads
  const signed = (id: string, options: Partial<SignRequest>, base: string | null) => {
    const request = { expiresIn: defaultExpiresIn, ...options, fileId: id }
    return `${settings.fileUrl(id, base)}?${signer.sign(request)}`
  }
  // Any text may be asked for; only what can be an id reaches the database.
  const find = async (id: string) => (isId(id) ? findFile(db, id) : null)

  return {
    upload(body, options) {
      const upload = { size: sizeOf(body), ...options }
      return run(() => uploadFromProgram(uploads, toBytes(body), upload))
    },
    async list(options = {}) {
      const page = await run(() => listFiles(db, settings.projectId, options))
      return { ...page, files: page.files.map(withoutMemo) }
    },
    async get(id) {
      const file = await run(() => find(id))
      return file && withoutMemo(file)
    },
    async sign(id, options = {}, base) {
      const file = await run(() => find(id))
      if (!file || !isReadable(file.state)) throw notFound(id)
      return signed(id, options, base ?? null)
    },
    async rename(id, filename, { ifUpdatedAt } = {}) {
      assertName(filename)
      const change = { filename, ifUpdatedAt }
      const renamed = isId(id) && (await run(() => renameFile(db, id, change)))
      if (!renamed) throw ifUpdatedAt && (await find(id)) ? changed(id) : notFound(id)
      feed.hint()
      bus.publish(id)
      return withoutMemo(renamed)
    },
    delete: (id) =>
      run(async () => {
        const file = await find(id)
        if (!file || file.state === 'removed') return false
        return remove(uploads, file)
      }),
    copy: (options) => run(() => copyFiles(uploads, untilClosing(closing, options))),
    import: (options) =>
      run(() => importObjects(uploads, untilClosing(closing, options))),
    link(file, base) {
      if (file.acl === 'public-read') return settings.fileUrl(file.id, base ?? null)
      return signed(file.id, {}, base ?? null)
    },
  }
}

/** A memo may let whoever has it write to the object: it is not for programs to pass on. */
function withoutMemo(file: FileRecord): FileRecord {
  return file.storeMemo === null ? file : { ...file, storeMemo: null }
}

/** Ends also when closing begins: what is left can be done later. */
function untilClosing<Options extends { signal?: AbortSignal }>(
  closing: AbortSignal,
  options: Options,
): Options {
  const { signal } = options
  return { ...options, signal: signal ? AbortSignal.any([closing, signal]) : closing }
}

function assertName(filename: unknown): void {
  if (typeof filename === 'string' && filename && filename.length <= maxNameLength) return
  throw new CarcosaError('BAD_REQUEST', {
    message: `A name is text of 1 to ${maxNameLength} characters.`,
  })
}

function changed(id: string): CarcosaError {
  return new CarcosaError('PRECONDITION_FAILED', {
    message: `The file ${JSON.stringify(id)} was changed since. Get it again, and decide anew.`,
  })
}

function notFound(id: string): CarcosaError {
  return new CarcosaError('FILE_NOT_FOUND', {
    message: `There is no readable file ${JSON.stringify(String(id).slice(0, 64))}.`,
  })
}
