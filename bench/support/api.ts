import { createReadStream } from 'node:fs'
import { basename, join } from 'node:path'
import { expectStatus, locationPath } from './answer.ts'
import type { Connection } from './connection.ts'

/** How a client speaks to one server. Heads are bytes ready to be sent. */
export interface Api {
  /** Begins an upload of `size` bytes and returns its path. */
  create(connection: Connection, size: number): Promise<string>
  /** The head of a PATCH that sends `length` bytes from the start. */
  patch(path: string, length: number): Buffer
  /** The head of a creation of `size` bytes whose body is the first `length` of them. */
  createWithUpload(size: number, length: number): Buffer
  /** A whole HEAD request. */
  head(path: string): Buffer
  /** The bytes the server kept. */
  read(path: string): Promise<AsyncIterable<Uint8Array>>
}

type Read = Api['read']

/** A tus 1.0.0 server that takes creations at `uploads`. */
export function tusApi(uploads: string, read: Read): Api {
  const creation = (size: number) =>
    `POST ${uploads} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n` +
    `Upload-Length: ${size}\r\nUpload-Metadata: ${metadata}\r\n`
  return {
    create: async (connection, size) => {
      const head = Buffer.from(`${creation(size)}Content-Length: 0\r\n\r\n`)
      return locationPath(expectStatus(await connection.request(head), 201))
    },
    patch: (path, length) =>
      Buffer.from(
        `PATCH ${path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n` +
          `Upload-Offset: 0\r\n${body(length)}`,
      ),
    createWithUpload: (size, length) => Buffer.from(creation(size) + body(length)),
    head: (path) =>
      Buffer.from(
        `HEAD ${path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n\r\n`,
      ),
    read,
  }
}

/** A reference without a protocol: a path is a file, and a POST makes one up. */
export function plainApi(uploads: string, read: Read): Api {
  let created = 0
  const tus = tusApi(uploads, read)
  return {
    ...tus,
    create: async () => `${uploads}/${++created}`,
    head: () => {
      throw new Error('A plain reference keeps no state to ask for')
    },
  }
}

/** Reads what a server keeps flat in `directory` under the last part of the path. */
export function readFrom(directory: string): Read {
  return async (path) => createReadStream(join(directory, basename(path)))
}

/** Downloads from `files`, the path under which the server on `port` serves by id. */
export function download(port: number, files: string): Read {
  return async (path) => {
    const answer = await fetch(`http://127.0.0.1:${port}${files}/${basename(path)}`)
    if (answer.status !== 200 || !answer.body) {
      throw new Error(`GET of ${path}: ${answer.status} ${await answer.text()}`)
    }
    return answer.body
  }
}

const metadata = [
  `filename ${btoa('holiday in carcosa.bin')}`,
  `filetype ${btoa('application/octet-stream')}`,
].join(',')

function body(length: number): string {
  return `Content-Type: application/offset+octet-stream\r\nContent-Length: ${length}\r\n\r\n`
}
