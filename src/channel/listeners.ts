/** Who listens to what in this process. Listeners must not throw. */
export interface Listeners {
  add(topic: string, listener: (message: string) => void): () => void
  tell(topic: string, message: string): void
}

export function createListeners(): Listeners {
  const topics = new Map<string, Set<(message: string) => void>>()
  return {
    add(topic, listener) {
      const listeners = topics.get(topic) ?? new Set()
      topics.set(topic, listeners.add(listener))
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0 && topics.get(topic) === listeners) topics.delete(topic)
      }
    },
    tell(topic, message) {
      for (const listener of [...(topics.get(topic) ?? [])]) listener(message)
    },
  }
}
