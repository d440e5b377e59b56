import * as assert from 'uvu/assert'
import { createCarcosa, createRouter, route } from '../../../src/index.ts'
import type { Store } from '../../../stores/store.ts'
import { openStore } from './open-store.ts'
import type { Place } from './place.ts'

export interface Tidying {
  ids: readonly string[]
  place: Place
  database: string
  dataDir: string
}

/**
 * Under the prefix there are these objects and nothing else, and nothing at all once they are
 * deleted. Only what a process had begun and could not write down may be there besides, until
 * somebody reconciles. Resolves with how much of that there was.
 */
export async function tidy({ ids, place, database, dataDir }: Tidying): Promise<number> {
  const expected = [...ids].sort()
  assert.equal((await place.objects()).sort(), expected)
  const leaked = await place.unfinished()
  const carcosa = await createCarcosa({
    router: createRouter({ called: route({ blob: {} }).public() }),
    database,
    dataDir,
    store: later(openStore(place.direct)),
    worker: false,
  })
  try {
    const report = await carcosa.api.stores.reconcile()
    assert.not.ok(report.needsAttention, JSON.stringify(report))
    assert.is(report.stores[0]?.unfinished.removed, leaked.length)
    assert.equal(await place.unfinished(), [], 'after reconciling')
    assert.equal((await place.objects()).sort(), expected, 'after reconciling')
    for (const id of ids) await carcosa.api.files.delete(id)
    assert.equal(await place.objects(), [], 'after deleting')
  } finally {
    await carcosa.close()
  }
  return leaked.length
}

/** The store as it will be when the grace period of what is in it is over. */
function later(store: Store): Store {
  const startedAt = new Date(0)
  return {
    ...store,
    async *listUnfinished() {
      for await (const found of store.listUnfinished?.() ?? []) {
        yield { ...found, startedAt }
      }
    },
  }
}
