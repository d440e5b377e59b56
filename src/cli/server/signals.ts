import { constants } from 'node:os'

const signals = ['SIGINT', 'SIGTERM'] as const

/** `npm start` passes on the Ctrl-C that the terminal has already sent to everyone. */
const sameKeypress = 1_000

/** The wish of somebody outside that this process ends. */
export interface StopSignal {
  /** Resolves with the name of the first SIGINT or SIGTERM. */
  readonly received: Promise<string>
  /** Leaves signals to Node again. */
  release(): void
}

/** Waits for the first signal; a second one ends the process at once, as it would by default. */
export function onStopSignal(): StopSignal {
  const first = Promise.withResolvers<string>()
  let receivedAt = 0
  const onSignal = (signal: (typeof signals)[number]) => {
    if (receivedAt > 0 && Date.now() - receivedAt > sameKeypress) {
      process.exit(128 + constants.signals[signal])
    }
    receivedAt ||= Date.now()
    first.resolve(signal)
  }
  for (const signal of signals) process.on(signal, onSignal)
  return {
    received: first.promise,
    release: () => {
      for (const signal of signals) process.off(signal, onSignal)
    },
  }
}
