import { CarcosaError } from '../shared/errors.ts'

/** What can be watched. Each kind is a parameter of `GET /events`. */
export const topicKinds = ['file', 'batch', 'route', 'project'] as const

export type TopicKind = (typeof topicKinds)[number]

/** All that happens to one file, to the files of a batch or route, or in a project. */
export interface Topic {
  readonly kind: TopicKind
  readonly id: string
}

/** What a message is about: it belongs to each topic that names one of these. */
export interface Subject {
  readonly fileId: string | null
  readonly batchId: string | null
  readonly route: string | null
}

/** Most topics of one subscription. */
export const maxTopics = 50

/**
 * A topic from what a client sent; its id is not looked up.
 * @throws {CarcosaError} BAD_REQUEST
 */
export function toTopic(kind: string, id: unknown): Topic {
  const known = topicKinds.find((one) => one === kind)
  if (!known) {
    throw new CarcosaError('BAD_REQUEST', {
      message: `${JSON.stringify(kind.slice(0, 40))} is no kind of topic; use one of ${topicKinds.join(', ')}.`,
    })
  }
  if (typeof id === 'string' && /^[\w.-]{1,128}$/.test(id)) return { kind: known, id }
  throw new CarcosaError('BAD_REQUEST', {
    message: `The topic ${known} needs an id: 1 to 128 letters, digits, and ".", "_" and "-".`,
  })
}

/** A topic as an object of one property, e.g. `{ file: '…' }`. */
export type NamedTopic =
  | { readonly file: string }
  | { readonly batch: string }
  | { readonly route: string }
  | { readonly project: string }

/** @throws {CarcosaError} BAD_REQUEST */
export function namedTopic(given: unknown): Topic {
  const entries = typeof given === 'object' && given ? Object.entries(given) : []
  const [entry] = entries
  if (entry && entries.length === 1) return toTopic(...entry)
  throw new CarcosaError('BAD_REQUEST', {
    message: `A topic is an object of one property, ${topicKinds.join(', ')}: { "file": "<id>" }.`,
  })
}

/** Under which key a topic is kept within its project. */
export function keyOf({ kind, id }: Topic): string {
  return kind === 'project' ? wholeProject : `${kind} ${id}`
}

/** The keys of all topics a message belongs to. */
export function keysOf({ fileId, batchId, route }: Subject): string[] {
  const keys = [wholeProject]
  if (route !== null) keys.push(`route ${route}`)
  if (batchId !== null) keys.push(`batch ${batchId}`)
  if (fileId !== null) keys.push(`file ${fileId}`)
  return keys
}

const wholeProject = 'project'

/**
 * The number after which to go on, as a client sends it: 0 for all there is.
 * @throws {CarcosaError} CURSOR_INVALID
 */
export function toCursor(given: unknown): number {
  const number = typeof given === 'string' && /^\d{1,16}$/.test(given) ? +given : given
  if (Number.isSafeInteger(number) && Number(number) >= 0) return Number(number)
  throw new CarcosaError('CURSOR_INVALID', {
    message: `The last event id is a whole number from 0 (all there is) on, not ${JSON.stringify(String(given).slice(0, 40))}.`,
  })
}
