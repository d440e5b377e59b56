import type {
  FileStatus,
  Progress,
  UploadEvent,
  UploadStatus,
} from '../../../client/index.ts'
import { formatSize } from '../../shared/sizes.ts'
import { printable } from '../printable.ts'
import type { Io, Output } from '../verb.ts'

/** Shows on standard error how far an upload is. */
export interface Display {
  show(event: UploadEvent, status: UploadStatus): void
  /** Removes what is not meant to stay. */
  close(): void
}

/** A bar that moves where a person is looking, lines where the output goes to a file. */
export function createDisplay({ stderr }: Io): Display {
  return stderr.isTTY ? liveDisplay(stderr) : lineDisplay(stderr)
}

/** Milliseconds between two pictures. */
const frame = 100

function liveDisplay(output: Output): Display {
  let drawn = 0
  let last = 0
  /** Goes back to the first line of the picture and removes it. */
  const erase = () => {
    if (drawn > 0) output.write(`\r\x1b[${drawn}A\x1b[J`)
    drawn = 0
  }
  return {
    show(event, status) {
      const note = noteOf(event)
      if (!note && event.type === 'progress' && Date.now() - last < frame) return
      last = Date.now()
      const width = (output.columns ?? 80) - 1
      const lines = status.files
        .filter((file) => file.state === 'uploading')
        .map((file) => bar(file, width))
      const rest = status.files.filter((file) => file.state === 'pending').length
      if (rest > 0) lines.push(`${rest} more waiting`)
      erase()
      if (note) output.write(`${printable(note)}\n`)
      for (const line of lines) output.write(`${line}\n`)
      drawn = lines.length
    },
    close: erase,
  }
}

/** Percent between two lines about the same file. */
const step = 10

function lineDisplay(output: Output): Display {
  const told = new Map<object, number>()
  return {
    show(event) {
      const { file } = event
      const note = noteOf(event)
      if (note) output.write(`${printable(note)}\n`)
      if (event.type !== 'progress') return
      const { name, progress } = file.current
      const percent = Math.floor((progress.fraction * 100) / step) * step
      if (percent <= (told.get(file) ?? 0)) return
      told.set(file, percent)
      output.write(`${printable(name)}: ${percent} %${speed(progress)}\n`)
    },
    close() {},
  }
}

/** What is worth a line of its own. */
function noteOf(event: UploadEvent): string | null {
  const { name, size } = event.file.current
  if (event.type === 'retry') {
    // A server that stays away for minutes needs no line for every try.
    if (event.retry.failures > 3 && event.retry.failures % 10 !== 0) return null
    const { error, delay, failures } = event.retry
    const seconds = Math.max(1, Math.round(delay / 1000))
    return `${name}: ${error.message} Trying again in ${seconds} s (${failures}).`
  }
  if (event.type === 'resume' && event.offset > 0) {
    return `${name}: going on from ${formatSize(event.offset)} of ${formatSize(size)}.`
  }
  if (event.type === 'restart') {
    return `${name}: what was sent before is gone from the server (${event.error.code}). Beginning anew.`
  }
  if (event.type === 'warning') return `${name}: ${event.error.message}`
  return null
}

function bar({ name, activity, progress }: FileStatus, width: number): string {
  const percent = `${Math.floor(progress.fraction * 100)}`.padStart(3)
  const doing = activity === 'sending' ? speed(progress) : ` ${activity}`
  const tail = ` ${percent} %${doing}`
  const label = shorten(name, Math.max(8, Math.floor(width / 3)))
  const room = width - label.length - tail.length - 3
  if (room < 8) return `${label}${tail}`.slice(0, width)
  const full = Math.round(progress.fraction * room)
  return `${label} [${'='.repeat(full)}${' '.repeat(room - full)}]${tail}`
}

function speed({ rate, eta }: Progress): string {
  if (rate === null) return ''
  const left = eta === null ? '' : ` ${clock(eta)}`
  return ` ${formatSize(Math.round(rate))}/s${left}`
}

/** `0:07`, `12:34`, `1:02:03`. */
function clock(seconds: number): string {
  const whole = Math.ceil(seconds)
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const [first = 0, ...rest] = parts[0] ? parts : parts.slice(1)
  return [first, ...rest.map((part) => `${part}`.padStart(2, '0'))].join(':')
}

function shorten(text: string, width: number): string {
  const safe = printable(text)
  return safe.length <= width ? safe : `${safe.slice(0, width - 1)}…`
}
