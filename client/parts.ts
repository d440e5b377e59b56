import { toClientError } from './errors.ts'
import type { Run } from './job.ts'
import { arrived, type DirectPart, type DirectUpload } from './offer.ts'
import { put } from './put.ts'
import { hidden, refusal } from './refusal.ts'
import { remember } from './remember.ts'
import { persist } from './retry.ts'
import { assertReadable } from './source.ts'

/** Parts of one file on their way at a time. */
const lanes = 3

/** A part and where it is in the file. */
interface Piece {
  readonly part: DirectPart
  readonly start: number
}

/** What the lanes of one file have in common. */
interface Sending {
  readonly run: Run
  readonly direct: DirectUpload
  readonly signal: AbortSignal
  /** Tells how much of a part left this side. */
  onSent(part: DirectPart, bytes: number): void
}

/** Sends a few parts at a time; all have ended when this does, one way or the other. */
export async function sendParts(run: Run, direct: DirectUpload): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([run.signal, stop.signal])
  const sending = { run, direct, signal, onSent: tally(run, direct) }
  const waiting = missing(direct)
  run.job.listener.onActivity('sending')
  const lane = async () => {
    for (let piece = waiting.shift(); piece; piece = waiting.shift()) {
      await sendPart(sending, piece)
    }
  }
  const running = Array.from({ length: lanes }, lane)
  try {
    await Promise.all(running)
  } catch (error) {
    stop.abort(error)
    await Promise.allSettled(running)
    throw error
  }
}

async function sendPart(sending: Sending, { part, start }: Piece): Promise<void> {
  const { run, direct, signal, onSent } = sending
  const { file, policy, partSlots, listener } = run.job
  let failures = 0
  let last = arrived(direct)

  async function attempt() {
    onSent(part, 0)
    const { stallTimeout } = policy
    const report = (bytes: number) => onSent(part, bytes)
    try {
      return await put({ file, part, start, stallTimeout, signal, onSent: report })
    } catch (thrown) {
      signal.throwIfAborted()
      const error = toClientError(thrown)
      if (error.code === 'NETWORK') await assertReadable(file, start)
      throw refusal({ run, direct, error, failures: ++failures }) ?? error
    }
  }

  const receipt = await persist(() => partSlots.run(attempt, signal), {
    policy,
    signal,
    onRetry: (notice) => listener.onRetry(notice),
    progressed() {
      const better = arrived(direct) > last
      last = arrived(direct)
      return better
    },
  })
  if (receipt === null) throw hidden(run)
  part.receipt = receipt
  onSent(part, part.size)
  if (!signal.aborted) remember(run)
}

function missing({ parts }: DirectUpload): Piece[] {
  let end = 0
  return parts
    .map((part) => {
      end += part.size
      return { part, start: end - part.size }
    })
    .filter(({ part }) => !part.receipt)
}

function tally({ job }: Run, direct: DirectUpload): Sending['onSent'] {
  const sent = new Map(direct.parts.map((part) => [part, part.receipt ? part.size : 0]))
  return (part, bytes) => {
    sent.set(part, bytes)
    let all = 0
    for (const count of sent.values()) all += count
    job.listener.onSent(all)
  }
}
