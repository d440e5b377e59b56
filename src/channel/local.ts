import type { Channel } from './channel.ts'
import { assertMessage } from './folding.ts'
import { createListeners } from './listeners.ts'

/** The channel of a process that is alone with its database: nothing leaves it. */
export function localChannel(): Channel {
  const listeners = createListeners()
  return {
    connected: true,
    send(topic, message) {
      assertMessage(topic, message)
      listeners.tell(topic, message)
    },
    on: listeners.add,
    onGap: () => () => undefined,
    close: async () => undefined,
  }
}
