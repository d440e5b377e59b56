import { endGrace } from '../files/edit.ts'
import { countDue, findExpired, findUnpurged } from '../files/records.ts'
import { transition } from '../files/transition.ts'
import type { UploadDeps } from './deps.ts'
import { purge } from './purge.ts'

const batchSize = 200

export interface SweepReport {
  expired: number
  purged: number
}

/**
 * Nothing rots (promise P8): ends unfinished uploads whose time is over and deletes the bytes
 * of every ended file. Safe to run on every node at once.
 */
export async function sweep(deps: UploadDeps): Promise<SweepReport> {
  return {
    expired: await expireUploads(deps),
    purged: await purgeEnded(deps),
  }
}

/** How much a sweep would do now. */
export function previewSweep(deps: UploadDeps): Promise<SweepReport> {
  return countDue(deps.db)
}

async function expireUploads(deps: UploadDeps): Promise<number> {
  let expired = 0
  for (;;) {
    const due = await findExpired(deps.db, batchSize)
    for (const record of due) {
      const { id, route, offset } = record
      const ended = await transition(deps.db, record, {
        to: 'expired',
        from: ['created', 'receiving'],
        events: [{ type: 'file.expired', data: { id, route, offset } }],
      })
      if (!ended) continue
      expired++
      deps.meter.uploadExpired()
      deps.tails.drop(id)
      deps.bus.publish(id)
    }
    if (due.length < batchSize) return expired
  }
}

async function purgeEnded(deps: UploadDeps): Promise<number> {
  let purged = 0
  // Each row once: what a store refuses to delete neither ends the sweep nor holds it up.
  let after = ''
  for (;;) {
    const ended = await findUnpurged(deps.db, { after, limit: batchSize })
    for (const record of ended) {
      if (record.purgeAfter && !(await endGrace(deps.db, record.id))) continue
      if (await purge(deps, record)) purged++
    }
    if (ended.length < batchSize) return purged
    after = ended.at(-1)?.id ?? ''
  }
}
