/** Everything that can happen to a file. Names are `noun.verb` in the past tense. */
export type EventType =
  | 'file.created'
  | 'file.stored'
  | 'file.ready'
  | 'file.rejected'
  | 'file.failed'
  | 'file.expired'
  | 'file.removed'
  | 'file.renamed'
  | 'file.updated'
  | 'file.undeleted'
  | 'file.restored'

/** An event about to be appended to the outbox, in the transaction of the change it tells. */
export interface NewEvent {
  type: EventType
  /** JSON; what a subscriber needs to act without asking back. Never a secret. */
  data: Record<string, unknown>
}
