import type { Channel } from '../channel/channel.ts'
import { createBelief } from '../shared/belief.ts'

/** On the channel: the project whose limits were changed. */
const topic = 'quota'
/** How long it is believed that a project has limits or not, in ms, where no change is heard. */
const believedMs = 10_000

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
  const limited = createBelief<boolean>({ ms: believedMs })
  channel.on(topic, limited.forget)
  channel.onGap(limited.forgetAll)
  return {
    get(projectId, load) {
      const known = limited.get(projectId)
      return known === undefined ? limited.read(projectId, load) : { known }
    },
    forget: limited.forget,
    changed(projectId) {
      limited.forget(projectId)
      channel.send(topic, projectId, true)
    },
  }
}
