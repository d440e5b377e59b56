import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import * as assert from 'uvu/assert'
import type { FileRecord } from '../../src/files/record.ts'
import { type ServeOptions, serveFile } from '../../src/files/serve.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { isLive, type Reply } from '../../src/shared/reply.ts'
import { memory } from '../../stores/memory.ts'
import { fileRecord } from './file-record.ts'

/** A private text file of `bytes` in a store of its own, and a way to ask for it. */
export function servedFile(bytes: Buffer | string, overrides: Partial<FileRecord> = {}) {
  const size = Buffer.byteLength(bytes)
  const file = fileRecord({ size, contentType: 'text/plain', ...overrides })
  const store = memory({ [file.key]: bytes })
  const ask = (headers: Record<string, string> = {}, more: Partial<ServeOptions> = {}) =>
    serveFile({ file, store, method: 'GET', headers: new Headers(headers), ...more })
  return { file, store, ask }
}

/** All bytes of a reply. */
export async function readReply({ body }: Reply): Promise<Buffer> {
  if (body instanceof Readable) return buffer(body)
  assert.not(isLive(body), 'a file is no live body')
  return Buffer.from((body as string | null) ?? '')
}

/** The CarcosaError `answer` is rejected with; the test fails if there is none. */
export async function refusal(answer: Promise<unknown>): Promise<CarcosaError> {
  const error = await answer.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (error instanceof CarcosaError) return error
  assert.unreachable(`it was not refused: ${String(error)}`)
  throw error
}
