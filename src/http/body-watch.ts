import type { IncomingMessage } from 'node:http'

/** How slowly a body may arrive. */
export interface BodyLimits {
  /** Silence after which it is given up, in ms. */
  readonly idleMs: number
  /** Bytes a second that must arrive, on average over `idleMs`; 0 for any. */
  readonly minRate: number
}

/**
 * Cuts the connection of a body that does not come: a client that vanished without a word would
 * hold it for ever, and one that sends a byte now and then as long as it likes (C30, SEC-11).
 * To a client that is a broken connection, after which it goes on from the offset it is told; a
 * status such as 408 would make tus clients give up.
 *
 * Neither costs anything per byte: the socket has a timer for silence, and the rate is looked at
 * once in `idleMs`. Time in which we are the ones who do not read is not held against the client.
 */
export function watchBody(
  req: IncomingMessage,
  { idleMs, minRate }: BodyLimits,
  onGivenUp: (reason: 'idle' | 'slow') => void,
): void {
  if (req.complete) return
  const { socket } = req
  const before = socket.timeout ?? 0
  const least = (minRate * idleMs) / 1_000
  let seen = socket.bytesRead

  const cut = (reason: 'idle' | 'slow') => {
    onGivenUp(reason)
    socket.destroy()
  }
  const onSilence = () => {
    if (isHeldUp(req)) socket.setTimeout(idleMs)
    else cut('idle')
  }
  const onLook = () => {
    const came = socket.bytesRead - seen
    seen = socket.bytesRead
    if (came < least && !isHeldUp(req)) cut('slow')
  }
  const look = least > 0 ? setInterval(onLook, idleMs).unref() : undefined
  // On the request: where nobody listens there Node ends the socket itself, whoever is to blame.
  req.on('timeout', onSilence)
  socket.setTimeout(idleMs)
  req.once('close', () => clearInterval(look))
  req.once('end', () => {
    clearInterval(look)
    req.off('timeout', onSilence)
    // Where the answer came before the end, Node has set its timer for idle connections.
    if (socket.timeout === idleMs) socket.setTimeout(before)
  })
}

/** Whether bytes wait for us, and not we for them. */
function isHeldUp({ readableLength }: IncomingMessage): boolean {
  return readableLength > 0
}
