/** What was read a moment ago and is believed for a while, until it is heard to have changed. */
export interface Belief<Value> {
  /** What is believed; undefined where it must be read. */
  get(key: string): Value | undefined
  /**
   * Reads it; two who ask at once share one answer. Kept unless a change is heard meanwhile: what
   * was read before that may be what it was before.
   */
  read(key: string, load: () => Promise<Value>): Promise<Value>
  /** As `read`, and never with an answer that another waits for. */
  readAnew(key: string, load: () => Promise<Value>): Promise<Value>
  forget(key: string): void
  /** Forgets what fits, and whatever is being read, of which nobody knows whether it does. */
  forgetWhere(isAbout: (value: Value) => boolean): void
  /** Forgets everything: nobody knows what was not heard. */
  forgetAll(): void
}

export interface BeliefOptions<Value> {
  /** How long it is believed, in ms from before it was read. */
  readonly ms: number
  /** Most values that are kept; the oldest go first. Default 10,000. */
  readonly most?: number
  /** Whether to keep a value at all. Default: every one. */
  isKept?(value: Value): boolean
  /** Default `Date.now`. */
  now?(): number
}

export function createBelief<Value>({
  ms,
  most = 10_000,
  isKept = () => true,
  now = Date.now,
}: BeliefOptions<Value>): Belief<Value> {
  const entries = new Map<string, { value: Value; until: number }>()
  const reading = new Map<string, Promise<Value>>()

  const keep = (key: string, value: Value, until: number) => {
    entries.delete(key)
    entries.set(key, { value, until })
    const [oldest] = entries.keys()
    if (entries.size > most && oldest !== undefined) entries.delete(oldest)
  }

  const readAnew: Belief<Value>['readAnew'] = (key, load) => {
    const until = now() + ms
    const running = load()
    reading.set(key, running)
    /** Whether nothing was heard of it meanwhile, and nobody asked anew. */
    const isLast = () => reading.get(key) === running && reading.delete(key)
    running.then((value) => {
      if (isLast() && isKept(value)) keep(key, value, until)
    }, isLast)
    return running
  }

  return {
    get(key) {
      const entry = entries.get(key)
      if (entry && entry.until > now()) return entry.value
      entries.delete(key)
      return undefined
    },
    read: (key, load) => reading.get(key) ?? readAnew(key, load),
    readAnew,
    forget(key) {
      entries.delete(key)
      reading.delete(key)
    },
    forgetWhere(isAbout) {
      reading.clear()
      for (const [key, { value }] of entries) {
        if (isAbout(value)) entries.delete(key)
      }
    },
    forgetAll() {
      reading.clear()
      entries.clear()
    },
  }
}
