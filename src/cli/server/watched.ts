import { constants } from 'node:os'
import type { Carcosa } from '../../carcosa.ts'
import { printable } from '../printable.ts'
import type { Io, Output, ParsedArgs } from '../verb.ts'
import { withCarcosa } from './maintenance.ts'
import { onStopSignal } from './signals.ts'

export type Files = Carcosa['api']['files']

/** What a run over many files is given. */
export interface Watch {
  readonly files: Files
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal
  /** Replaces the line that says how far it is; only a person sees it. */
  show(line: string): void
}

/** What one file or object met with. */
export interface Failed {
  /** Its id or key. */
  readonly what: string
  readonly code: string
  readonly message: string
}

/** How a run ended. */
export interface Outcome {
  readonly summary: string
  readonly failed: number
  /** Of the first ones. */
  readonly failures: readonly Failed[]
  readonly warnings?: readonly Failed[]
  readonly interrupted: boolean
}

/**
 * Runs `work` on the configured Carcosa with progress on a terminal and Ctrl-C, prints how it
 * ended and returns the exit code.
 */
export async function watched(
  parsed: ParsedArgs,
  io: Io,
  work: (watch: Watch) => Promise<Outcome>,
): Promise<number> {
  const stop = onStopSignal()
  const abort = new AbortController()
  let code = 0
  void stop.received.then((signal) => {
    code =
      128 + (signal === 'SIGTERM' ? constants.signals.SIGTERM : constants.signals.SIGINT)
    abort.abort(signal)
  })
  const line = statusLine(io.stderr)
  try {
    const outcome = await withCarcosa(parsed, io, ({ api }) =>
      work({ files: api.files, signal: abort.signal, show: line.show }),
    ).finally(line.clear)
    print(outcome, io)
    return outcome.interrupted ? code : outcome.failed > 0 ? 1 : 0
  } finally {
    stop.release()
  }
}

/** Milliseconds between two pictures. */
const frame = 100

function statusLine(output: Output) {
  let last = 0
  return {
    show(line: string) {
      if (!output.isTTY || Date.now() - last < frame) return
      last = Date.now()
      const width = (output.columns ?? 80) - 1
      output.write(`\r\x1b[K${printable(line).slice(0, width)}`)
    },
    clear() {
      if (output.isTTY) output.write('\r\x1b[K')
    },
  }
}

function print(outcome: Outcome, io: Io): void {
  const { summary, failed, failures, warnings = [], interrupted } = outcome
  for (const warning of warnings) io.stderr.write(`warning: ${sentence(warning)}\n`)
  for (const failure of failures) io.stderr.write(`${sentence(failure)}\n`)
  if (failed > failures.length) {
    io.stderr.write(`and ${failed - failures.length} more that failed\n`)
  }
  io.stdout.write(`${summary}\n`)
  if (interrupted) io.stderr.write('Stopped. Run it again to go on.\n')
}

function sentence({ what, code, message }: Failed): string {
  return printable(`${what}: ${code}: ${message}`)
}
