import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { seededRandom } from '../random.ts'

/** What can become of a request between a server and its store. */
export const fates = [
  /** Refused as by a service that has too much to do. */
  'busy',
  /** Waits before it gets through. */
  'delayed',
  /** The connection breaks off before the store hears of it. */
  'lost',
  /** The connection breaks off in the middle of its body. */
  'torn',
  /** The store does the work, but the connection breaks off before it is done. */
  'abandoned',
  /** The store does the work, and its answer is lost. */
  'unanswered',
  /** The connection breaks off in the middle of the answer. */
  'truncated',
] as const

export type Fate = (typeof fates)[number]

export interface Doom {
  fate: Fate
  /** Between 0 and 1, for whatever else is left to chance. */
  luck: number
}

export interface Oracle {
  /** What becomes of the next request; null if it just gets through. */
  next(request: IncomingMessage, rate: number): Doom | null
}

/**
 * Says what becomes of each request. It follows from the seed, from what is asked and from how
 * often that was asked before, but not from the order in which requests happen to arrive: so a
 * run can be repeated, as far as time allows.
 */
export function createOracle(seed: number): Oracle {
  const asked = new Map<string, number>()
  return {
    next(request, rate) {
      const question = questionOf(request)
      const times = (asked.get(question) ?? 0) + 1
      asked.set(question, times)
      const random = seededRandom(hashOf(`${seed} ${question} ${times}`))
      if (random() >= rate) return null
      const fate = fates[Math.floor(random() * fates.length)] ?? 'busy'
      return { fate, luck: random() }
    },
  }
}

/** The method and what distinguishes operations and parts; not keys and ids, which are random. */
function questionOf({ method = '', url = '', headers }: IncomingMessage): string {
  const [, search = ''] = url.split(/\?(.*)/s)
  const query = new URLSearchParams(search)
  const names = [...query.keys()].sort().join()
  const range = headers['content-range'] ?? headers.range ?? ''
  return [method, names, query.get('partNumber') ?? '', range].join(' ')
}

function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32LE()
}
