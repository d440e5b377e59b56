import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { type FileList, type ListOptions, listFiles } from './files/list.ts'
import { type FileRecord, isReadable } from './files/record.ts'
import { findFile, renameFile } from './files/records.ts'
import type { Signer, SignRequest } from './files/sign.ts'
import { CarcosaError } from './shared/errors.ts'
import type { UploadDeps } from './uploads/deps.ts'
import { type ProgramUpload, uploadFromProgram } from './uploads/from-program.ts'
import { remove } from './uploads/lifecycle.ts'

/** What can be uploaded from a program: anything that yields bytes. */
export type UploadBody =
  | Readable
  | ReadableStream<Uint8Array>
  | Blob
  | Uint8Array
  | string

export interface Api {
  readonly files: FilesApi
}

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
   * A URL that lets anybody read one file for a while: relative to the mount point's origin
   * unless `publicUrl` is configured.
   * @throws {CarcosaError} FILE_NOT_FOUND
   */
  sign(id: string, options?: Partial<Omit<SignRequest, 'fileId'>>): Promise<string>
  /** Changes the name readers see. @throws {CarcosaError} FILE_NOT_FOUND */
  rename(id: string, filename: string): Promise<FileRecord>
  /** Deletes record and bytes; false if there was nothing left to delete. */
  delete(id: string): Promise<boolean>
  /** Where a client finds a file: signed for an hour if it is private. */
  link(file: FileRecord, base?: string): string
}

export interface ApiDeps {
  uploads: UploadDeps
  signer: Signer
}

const defaultExpiresIn = '1h'

export function createApi({ uploads, signer }: ApiDeps): Api {
  const { db, settings } = uploads
  const signed = (id: string, options: Partial<SignRequest>, base: string | null) => {
    const request = { expiresIn: defaultExpiresIn, ...options, fileId: id }
    return `${settings.fileUrl(id, base)}?${signer.sign(request)}`
  }

  return {
    files: {
      async upload(body, options) {
        return uploadFromProgram(uploads, toReadable(body), {
          size: sizeOf(body),
          ...options,
        })
      },
      list: (options = {}) => listFiles(db, settings.projectId, options),
      get: (id) => findFile(db, id),
      async sign(id, options = {}) {
        const file = await findFile(db, id)
        if (!file || !isReadable(file.state)) throw notFound(id)
        return signed(id, options, null)
      },
      async rename(id, filename) {
        const renamed = await renameFile(db, id, filename)
        if (!renamed) throw notFound(id)
        return renamed
      },
      async delete(id) {
        const file = await findFile(db, id)
        if (!file || file.state === 'removed') return false
        await remove(uploads, file)
        return true
      },
      link(file, base) {
        if (file.acl === 'public-read') return settings.fileUrl(file.id, base ?? null)
        return signed(file.id, {}, base ?? null)
      },
    },
  }
}

function toReadable(body: UploadBody): Readable {
  if (body instanceof Readable) return body
  if (typeof body === 'string') return Readable.from([Buffer.from(body)])
  if (body instanceof Uint8Array) return Readable.from([Buffer.from(body)])
  const stream = body instanceof Blob ? body.stream() : body
  // The DOM's and Node's types for the same stream class do not know each other.
  return Readable.fromWeb(stream as unknown as NodeReadableStream)
}

function sizeOf(body: UploadBody): number | undefined {
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array) return body.byteLength
  return body instanceof Blob ? body.size : undefined
}

function notFound(id: string): CarcosaError {
  return new CarcosaError('FILE_NOT_FOUND', {
    message: `There is no readable file ${JSON.stringify(id.slice(0, 64))}.`,
  })
}
