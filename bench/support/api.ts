import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename, join } from 'node:path'
import { expectStatus, locationPath } from './answer.ts'
import type { Connection } from './connection.ts'
import { expectContent } from './content.ts'
import { expectObject } from './s3-backend.ts'

/** How a client speaks to one server. Heads are bytes ready to be sent. */
export interface Api {
  /** Begins an upload of `size` bytes and returns its path. */
  create(connection: Connection, size: number): Promise<string>
  /** The head of a PATCH that sends `length` bytes from `offset`, by default the start. */
  patch(path: string, length: number, offset?: number): Buffer
  /** The head of a creation of `size` bytes whose body is the first `length` of them. */
  createWithUpload(size: number, length: number): Buffer
  /** A whole HEAD request. */
  head(path: string): Buffer
  /** A whole request for the file, or for an inclusive range of its bytes. */
  get(path: string, range?: { start: number; end: number }): Buffer
  /** Throws unless the server kept exactly the first `size` bytes of the content. */
  check(path: string, size: number): Promise<void>
}

type Check = Api['check']

/**
 * A tus 1.0.0 server that takes creations at `uploads` and serves below `files`. `credential` is
 * lines of headers that creations are sent with.
 */
export function tusApi(
  uploads: string,
  check: Check,
  files: string = uploads,
  credential: () => string = () => '',
): Api {
  const creation = (size: number) =>
    `POST ${uploads} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n${credential()}` +
    `Upload-Length: ${size}\r\nUpload-Metadata: ${metadata}\r\n`
  return {
    create: async (connection, size) => {
      const head = Buffer.from(`${creation(size)}Content-Length: 0\r\n\r\n`)
      return locationPath(expectStatus(await connection.request(head), 201))
    },
    patch: (path, length, offset = 0) =>
      Buffer.from(
        `PATCH ${path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n` +
          `Upload-Offset: ${offset}\r\n${body(length)}`,
      ),
    createWithUpload: (size, length) => Buffer.from(creation(size) + body(length)),
    head: (path) =>
      Buffer.from(
        `HEAD ${path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n\r\n`,
      ),
    get: (path, range) =>
      Buffer.from(
        `GET ${files}/${basename(path)} HTTP/1.1\r\nHost: localhost\r\n` +
          `${range ? `Range: bytes=${range.start}-${range.end}\r\n` : ''}\r\n`,
      ),
    check,
  }
}

/** A reference without a protocol: a path is a file, and a POST makes one up. */
export function plainApi(uploads: string, check: Check): Api {
  const tus = tusApi(uploads, check)
  return {
    ...tus,
    create: async () => `${uploads}/${randomUUID()}`,
    head: () => {
      throw new Error('A plain reference keeps no state to ask for')
    },
  }
}

/** Reads what a server keeps flat in `directory` under the last part of the path. */
export function keptIn(directory: string): Check {
  return (path, size) =>
    expectContent(createReadStream(join(directory, basename(path))), size, path)
}

/** Downloads from `files`, the path under which the server on `port` serves by id. */
export function servedBelow(port: number, files: string): Check {
  return async (path, size) => {
    const answer = await fetch(`http://127.0.0.1:${port}${files}/${basename(path)}`)
    if (answer.status !== 200 || !answer.body) {
      throw new Error(`GET of ${path}: ${answer.status} ${await answer.text()}`)
    }
    await expectContent(answer.body, size, path)
  }
}

/** Asks the backend at `endpoint` for the object named by the last part of the path. */
export function keptBy(endpoint: string): Check {
  return (path, size) => expectObject(endpoint, basename(path), size)
}

const metadata = [
  `filename ${btoa('holiday in carcosa.bin')}`,
  `filetype ${btoa('application/octet-stream')}`,
].join(',')

function body(length: number): string {
  return `Content-Type: application/offset+octet-stream\r\nContent-Length: ${length}\r\n\r\n`
}
