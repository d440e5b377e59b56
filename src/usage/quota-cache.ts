import type { Channel } from '../channel/channel.ts'

/** On the channel: the project whose limits were changed. */
const topic = 'quota'
/** How long it is believed that a project has limits or not, in ms, where no change is heard. */
const believedMs = 10_000
const maxEntries = 10_000

/**
 * Which projects have limits. Never how much is used of them: that is in rows, and what is counted
 * is counted by the statement that writes a file.
 */
export interface QuotaCache {
  /** What `load` says, or said a few seconds ago. */
  get(
    projectId: string,
    load: () => Promise<boolean>,
  ): { known: boolean } | Promise<boolean>
  forget(projectId: string): void
  /** Forgets it here and tells the other processes to. */
  changed(projectId: string): void
}

export function createQuotaCache(
  channel: Pick<Channel, 'on' | 'onGap' | 'send'>,
): QuotaCache {
  const entries = new Map<string, { limited: boolean; until: number }>()
  let changes = 0
  const forget = (projectId?: string) => {
    changes++
    if (projectId === undefined) entries.clear()
    else entries.delete(projectId)
  }
  channel.on(topic, forget)
  channel.onGap(() => forget())

  async function fetch(projectId: string, load: () => Promise<boolean>) {
    const before = changes
    const until = Date.now() + believedMs
    const limited = await load()
    // What was read before a change that was heard meanwhile may be what it was before.
    if (before === changes) entries.set(projectId, { limited, until })
    const [oldest] = entries.keys()
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest)
    return limited
  }

  return {
    get(projectId, load) {
      const entry = entries.get(projectId)
      if (entry && entry.until > Date.now()) return { known: entry.limited }
      entries.delete(projectId)
      return fetch(projectId, load)
    },
    forget,
    changed(projectId) {
      forget(projectId)
      channel.send(topic, projectId, true)
    },
  }
}
