import { randomUUID } from 'node:crypto'
import type { Database, Statement } from '../db/database.ts'
import type { Logger } from '../shared/logger.ts'
import type { Channel } from './channel.ts'
import { assertMessage, createFolding, unfold } from './folding.ts'
import { createListeners } from './listeners.ts'

/** Milliseconds between two proofs that messages arrive, and how long one may take. */
const proofMs = 10_000
const proofTimeoutMs = 3_000

/** What is not for listeners: a message that a process sends to hear whether it arrives. */
const proof = 'proof'

export interface PostgresChannelOptions {
  log: Logger
  /** The name of the Postgres channel. Default `carcosa`. */
  name?: string
}

/** Messages by `NOTIFY`, heard by `LISTEN` on a connection of its own. */
export function postgresChannel(
  db: Pick<Database, 'query'> & Required<Pick<Database, 'listen'>>,
  { log, name = 'carcosa' }: PostgresChannelOptions,
): Channel {
  const listeners = createListeners()
  const self = randomUUID()
  const gaps = createListeners()
  let connected = false
  let closed = false
  let warned = false
  let proving: NodeJS.Timeout | undefined

  const folding = createFolding(async (payload) => {
    await db
      .query(notifyStatement, [name, `${self}${payload}`])
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
      log.warn(
        {},
        'Messages of other processes do not arrive, so what they change is noticed later. Behind ' +
          'a pooler in transaction mode set CARCOSA_DIRECT_DATABASE to the URL of Postgres itself',
      )
    }
    warned = true
    connected = false
    listening.restart()
  }
  const listening = db.listen(name, {
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
      await folding.flush()
      await listening.close()
    },
  }
}

const notifyStatement: Statement = {
  name: 'channel_notify',
  sql: 'SELECT pg_notify($1, $2)',
}
