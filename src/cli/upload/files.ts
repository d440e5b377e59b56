import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { UploadSource } from '../../../client/index.ts'
import { fromPath } from '../../../client/node.ts'
import type { Io } from '../verb.ts'

/** A file on this machine that knows its digest once it was read. */
export interface LocalFile extends UploadSource {
  /**
   * SHA-256 of the whole file, lower-case hex. What was hashed while being sent is not read
   * again, so after an upload in one go this costs nothing.
   */
  digest(): Promise<string>
}

/** All of `paths`, or null after telling which cannot be uploaded. */
export async function openFiles(
  paths: readonly string[],
  io: Io,
): Promise<LocalFile[] | null> {
  const files: LocalFile[] = []
  let failed = false
  for (const path of paths) {
    try {
      files.push(hashing(await fromPath(resolve(io.cwd, path))))
    } catch (error) {
      failed = true
      io.stderr.write(`carcosa: ${explain(path, error)}\n`)
    }
  }
  return failed ? null : files
}

/** `source`, hashed as its bytes pass by in order. */
export function hashing(source: UploadSource): LocalFile {
  const hash = createHash('sha256')
  let hashed = 0
  let digest: Promise<string> | null = null

  /** Takes what of a chunk at `position` comes next; a retry repeats some, a resume skips. */
  function take(position: number, chunk: Uint8Array) {
    const known = hashed - position
    if (known < 0 || known >= chunk.length) return
    hash.update(known === 0 ? chunk : chunk.subarray(known))
    hashed = position + chunk.length
  }

  async function* stream(start: number, end: number) {
    let position = start
    for await (const chunk of source.stream(start, end)) {
      take(position, chunk)
      position += chunk.length
      yield chunk
    }
  }

  async function finish() {
    for await (const _chunk of stream(hashed, source.size)) {
      // Reading is what hashes.
    }
    return hash.digest('hex')
  }

  return {
    ...source,
    stream,
    digest() {
      digest ??= finish()
      return digest
    },
  }
}

function explain(path: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return `There is no file "${path}".`
  if (code === 'EACCES') return `"${path}" may not be read by this user.`
  return error instanceof Error ? error.message : String(error)
}
