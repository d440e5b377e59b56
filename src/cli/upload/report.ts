import type { FileUpload, UploadedFile } from '../../../client/index.ts'
import { formatSize } from '../../shared/sizes.ts'
import { printable } from '../printable.ts'
import type { Io } from '../verb.ts'
import type { LocalFile } from './files.ts'

/** How long a digest is waited for that the server makes after an interrupted upload, in ms. */
const digestPatience = 20_000
const digestInterval = 500

/**
 * Whether the file arrived as it is here. `null`: the server has no digest to compare with.
 */
type Verdict = boolean | null

export interface ReportOptions {
  readonly json: boolean
  /** Then the server reads the file again for its digest, and that takes a moment. */
  readonly wasInterrupted: boolean
  readonly io: Io
}

/** Tells how one file ended. Returns whether it ended well. */
export async function reportFile(
  file: FileUpload,
  source: LocalFile,
  { json, wasInterrupted, io }: ReportOptions,
): Promise<boolean> {
  const { name, error } = file.current
  if (error) {
    const { code, message, details } = error
    if (json) writeJson(io, { name, status: 'failed', code, message, details })
    io.stderr.write(`${printable(`${name}: failed: ${code}: ${message}`)}\n`)
    return false
  }
  const result = wasInterrupted ? await withDigest(file) : file.current.result
  if (!result) return false
  const sha256 = await source.digest()
  const verified: Verdict = result.sha256 === null ? null : result.sha256 === sha256
  const good = verified !== false
  if (json) writeJson(io, { ...result, status: good ? 'uploaded' : 'damaged', verified })
  else if (good) io.stdout.write(`${result.url ?? result.id}\n`)
  io.stderr.write(`${printable(name)}: ${sentence(result, sha256)}\n`)
  return good
}

/** The result, with the server's digest if it comes in time. */
async function withDigest(file: FileUpload): Promise<UploadedFile | null> {
  const until = Date.now() + digestPatience
  let { result } = file.current
  while (result?.sha256 === null && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, digestInterval))
    result = await file.refresh()
  }
  return result
}

function sentence(result: UploadedFile, sha256: string): string {
  const size = formatSize(result.size)
  if (result.sha256 === null) {
    return `uploaded, ${size}, not verified: the server has no SHA-256 of it (here ${sha256})`
  }
  if (result.sha256 === sha256) return `uploaded, ${size}, SHA-256 ${sha256} is equal`
  return `DAMAGED: the SHA-256 is ${sha256} here and ${result.sha256} on the server`
}

function writeJson(io: Io, value: object) {
  io.stdout.write(`${JSON.stringify(value)}\n`)
}
