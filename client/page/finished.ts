import { isRecord } from '../problem.ts'

/** A file that arrived, as it is listed. */
export interface FinishedUpload {
  readonly id: string
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** MIME type. */
  readonly type: string
  /** Where it is served, absolute. */
  readonly url: string | null
  /** Lower-case hex; null if it is not known yet. */
  readonly sha256: string | null
}

const name = 'carcosa:finished'
const most = 50

/** What arrived lately, newest first. Survives reloads where the browser lets us keep it. */
export function listFinished(): FinishedUpload[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(name) ?? '[]')
    return Array.isArray(value) ? value.filter(isFinished) : []
  } catch {
    // No storage, or somebody else's text in it: the list starts empty.
    return []
  }
}

/** Puts `upload` at the top, in place of what was known of it. */
export function keepFinished(upload: FinishedUpload): void {
  write([upload, ...without(upload.id)].slice(0, most))
}

export function dropFinished(id: string): void {
  write(without(id))
}

function without(id: string): FinishedUpload[] {
  return listFinished().filter((other) => other.id !== id)
}

function write(uploads: FinishedUpload[]) {
  try {
    localStorage.setItem(name, JSON.stringify(uploads))
  } catch {
    // Storage is full or forbidden: the list lasts as long as the page.
  }
}

function isFinished(value: unknown): value is FinishedUpload {
  return (
    isRecord(value) &&
    typeof value.id === 'string' &&
    typeof value.name === 'string' &&
    typeof value.size === 'number' &&
    typeof value.type === 'string'
  )
}
