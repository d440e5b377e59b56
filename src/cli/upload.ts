import { constants } from 'node:os'
import {
  createClient,
  type FileUpload,
  type Upload,
  UploadFailedError,
} from '../../client/index.ts'
import { fileStorage } from '../../client/node.ts'
import { onStopSignal } from './server/signals.ts'
import { createDisplay, type Display } from './upload/display.ts'
import { type LocalFile, openFiles } from './upload/files.ts'
import { parseUploadArgs, type UploadArgs } from './upload/options.ts'
import { reportFile } from './upload/report.ts'
import type { Io, Verb } from './verb.ts'

/** `carcosa upload`: files from the shell, resumed when it is run again. */
export const verb: Verb = {
  name: 'upload',
  summary: 'send files: carcosa upload <file…> --route <name> --to <url>',
  usage: `carcosa upload <file…> --route <name> --to <url> [flags]

Sends files to a route of a Carcosa server and prints a link for each on standard output.
Survives lost connections and restarts of the server; Ctrl-C pauses. Run the same command
again and it goes on where it stopped, as long as the file has not changed.

  --route <name>         the route, e.g. demo
  --to <url>             where Carcosa is mounted, e.g. http://127.0.0.1:8080
  --input <json>         the input of the route
  --header <name:value>  sent with every request; may be given several times
  --state-dir <path>     where unfinished uploads are remembered
                         (default: carcosa/uploads in the user's cache directory)
  --no-resume            begin anew, and remember nothing
  --json                 one line of JSON for each file instead of a link

Each file is hashed while it is sent and compared with the SHA-256 that the server
recorded, if it records one.

Exit codes: 0 all files arrived, 1 a file failed, 2 the command line makes no sense,
130 paused by Ctrl-C.`,
  async run(args, io) {
    const options = parseUploadArgs(args, io)
    const files = await openFiles(options.paths, io)
    if (!files) return 1
    const stop = onStopSignal()
    const display = createDisplay(io)
    try {
      const upload = begin(options, files)
      const interrupted = new Set<FileUpload>()
      upload.subscribe((event) => {
        display.show(event, upload.current)
        if (event.type === 'retry' || event.type === 'resume') interrupted.add(event.file)
      })
      const signal = await Promise.race([ended(upload), stop.received])
      if (signal) return pause(upload, signal, { display, io, args })
      return await report(upload, files, { options, display, io, interrupted })
    } finally {
      display.close()
      stop.release()
    }
  },
}

/** Patient: about ten minutes without a byte getting through. */
const retry = { attempts: 150, maxDelay: 5000 }

function begin(options: UploadArgs, files: readonly LocalFile[]): Upload {
  const client = createClient({
    url: options.to,
    headers: options.headers,
    retry,
    storage: options.stateDirectory !== null && fileStorage(options.stateDirectory),
  })
  const input = options.input === undefined ? {} : { input: options.input }
  return client.create(options.route, files, input)
}

/** Null when every file came to an end; each one's error is told with the file. */
async function ended(upload: Upload): Promise<null> {
  try {
    await upload.done
  } catch (error) {
    if (!(error instanceof UploadFailedError)) throw error
  }
  return null
}

interface Where {
  readonly display: Display
  readonly io: Io
}

function pause(
  upload: Upload,
  signal: string,
  where: Where & { args: string[] },
): number {
  upload.pause()
  where.display.close()
  const { fraction } = upload.current.progress
  const percent = `${Math.floor(fraction * 100)} %`
  const again = where.args.includes('--no-resume')
    ? 'With --no-resume it cannot be gone on with.'
    : `Run it again to go on:\n  carcosa upload ${where.args.map(quote).join(' ')}`
  where.io.stderr.write(`Paused at ${percent}. ${again}\n`)
  return 128 + constants.signals[signal as NodeJS.Signals]
}

interface Ended {
  readonly options: UploadArgs
  /** The files whose bytes did not come in one go. */
  readonly interrupted: ReadonlySet<FileUpload>
}

async function report(
  upload: Upload,
  files: readonly LocalFile[],
  { options, display, io, interrupted }: Where & Ended,
): Promise<number> {
  display.close()
  let good = true
  for (const [index, file] of upload.files.entries()) {
    const source = files[index]
    if (!source) continue
    good =
      (await reportFile(file, source, {
        json: options.json,
        wasInterrupted: interrupted.has(file),
        io,
      })) && good
  }
  return good ? 0 : 1
}

/** As a POSIX shell reads it back. */
function quote(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`
}
