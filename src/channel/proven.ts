import { randomUUID } from 'node:crypto'
import type { ListenHandlers, Listening } from '../db/listen.ts'
import type { Logger } from '../shared/logger.ts'
import type { Channel } from './channel.ts'
import { assertMessage, createFolding, unfold } from './folding.ts'
import { createListeners } from './listeners.ts'

/** Milliseconds between two proofs that messages arrive, and how long one may take. */
const proofMs = 10_000
const proofTimeoutMs = 3_000
/** How long what was said last may take to be sent when it is closed. */
const lastWordMs = 1_000

/** What is not for listeners: a message that a process sends to hear whether it arrives. */
const proof = 'proof'

/** What brings payloads to every process that listens, this one included, or loses them. */
export interface Carrier {
  /** Payloads of at most 8,000 bytes. What it throws is a lost message. */
  send(payload: string): Promise<unknown>
  /** Listens until closed; a connection that breaks is made again, and told. */
  listen(handlers: ListenHandlers): Listening
  /** Ends the sentence "Messages of other processes do not arrive, …" with what to do. */
  readonly advice: string
}

/**
 * A channel on a carrier that may break without a word. It sends itself a message from time to
 * time: what does not come back says that others are not heard either.
 */
export function provenChannel(carrier: Carrier, log: Logger): Channel {
  const listeners = createListeners()
  const self = randomUUID()
  const gaps = createListeners()
  let connected = false
  let closed = false
  let warned = false
  let proving: NodeJS.Timeout | undefined

  const folding = createFolding(async (payload) => {
    await carrier
      .send(self + payload)
      .catch((err) => log.debug({ err }, 'a message to other processes was lost'))
  })
  const prove = () => {
    clearTimeout(proving)
    folding.add(proof, '', true)
    proving = setTimeout(onSilence, proofTimeoutMs)
  }
  const onProof = () => {
    clearTimeout(proving)
    if (closed) return
    if (!connected) {
      connected = true
      warned = false
      gaps.tell('', '')
    }
    proving = setTimeout(prove, proofMs)
    proving.unref()
  }
  const onSilence = () => {
    if (!warned) {
      log.warn({}, `Messages of other processes do not arrive, ${carrier.advice}`)
    }
    warned = true
    connected = false
    listening.restart()
  }
  const listening = carrier.listen({
    onMessage(payload) {
      const mine = payload.startsWith(self)
      for (const [topic, message] of unfold(payload.slice(self.length))) {
        if (mine) topic === proof && onProof()
        else if (topic !== proof) listeners.tell(topic, message)
      }
    },
    onListening: prove,
    onError(err) {
      clearTimeout(proving)
      connected = false
      log.warn({ err }, 'the connection that listens to other processes was lost')
    },
  })

  return {
    get connected() {
      return connected
    },
    send(topic, message, urgent = false) {
      assertMessage(topic, message)
      folding.add(topic, message, urgent)
      listeners.tell(topic, message)
    },
    on: listeners.add,
    onGap: (listener) => gaps.add('', listener),
    async close() {
      if (closed) return
      closed = true
      clearTimeout(proving)
      await atMost(lastWordMs, folding.flush())
      await listening.close()
    },
  }
}

/** Waits for `work`, which never rejects, but not for ever: a carrier may hang. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
