import type { Asked } from './operation.ts'
import type { GcsState } from './state.ts'

/** A request to be served. */
export interface Call extends Asked {
  readonly state: GcsState
  /** How many requests of its operation there were, this one included. */
  readonly attempt: number
  readonly origin: string
  readonly body: Buffer
}

export interface Answer {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | number>>
  /** Sent as JSON unless it is bytes. */
  readonly body?: unknown
}

export type Act = (call: Call) => Answer
