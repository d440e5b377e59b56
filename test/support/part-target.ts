import { buffer } from 'node:stream/consumers'
import type { ObjectInfo } from '../../stores/store.ts'
import type { OutgoingPart, PartTarget } from '../../stores/writing/part-writer.ts'

export interface SentPart {
  readonly number: number
  readonly position: number
  readonly bytes: string
  readonly last: boolean
}

export interface PartTargetOptions {
  partSize: number
  /** Default 1. */
  concurrency?: number
  /** Default 0 as for equal parts. */
  shortPart?: PartTarget['shortPart']
  /** Called before a part is kept; it may wait, or fail. */
  before?(number: number): void | Promise<void>
  /** Whether parts have receipts. Default true. */
  receipts?: boolean
}

/** A service of parts that notes what it is sent. */
export interface WatchedTarget extends PartTarget {
  /** Objects that came in one request. */
  readonly wholes: string[]
  /** What was told of objects when they began. */
  readonly infos: ObjectInfo[]
  /** In the order in which they were kept. */
  readonly sent: SentPart[]
  /** Most parts that were under way at the same time. */
  readonly most: () => number
}

export function partTarget(options: PartTargetOptions): WatchedTarget {
  const { partSize, concurrency = 1, shortPart = () => 0, receipts = true } = options
  const wholes: string[] = []
  const infos: ObjectInfo[] = []
  const sent: SentPart[] = []
  let underWay = 0
  let most = 0
  return {
    wholes,
    infos,
    sent,
    most: () => most,
    concurrency,
    partSize: () => partSize,
    shortPart,
    async whole(body, info) {
      infos.push(info)
      wholes.push(await textOf(body))
    },
    async begin(info) {
      infos.push(info)
      return { id: infos.length }
    },
    async send(_memo, { number, position, body, last }) {
      underWay++
      most = Math.max(most, underWay)
      try {
        await options.before?.(number)
        sent.push({ number, position, bytes: await textOf(body), last })
        return receipts ? `receipt ${number}` : null
      } finally {
        underWay--
      }
    },
  }
}

async function textOf(body: OutgoingPart['body']): Promise<string> {
  const bytes = body.read()
  return String(Buffer.isBuffer(bytes) ? bytes : await buffer(bytes))
}
