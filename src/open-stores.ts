import { join } from 'node:path'
import { file } from '../stores/file.ts'
import type { Store } from '../stores/store.ts'
import { createStaging } from '../stores/writing/staging.ts'
import type { Config } from './config.ts'
import { makeDataDir } from './data-dir.ts'
import { CarcosaError } from './shared/errors.ts'
import { storeFromUrl } from './store-url.ts'

/** The first store is the default; a single one is called `default`. */
export async function storesOf({ store, dataDir }: Config): Promise<Map<string, Store>> {
  if (store === undefined) {
    await makeDataDir(dataDir)
    return new Map([['default', file({ directory: join(dataDir, 'files') })]])
  }
  const named = typeof store === 'string' || isStore(store) ? { default: store } : store
  const made = Object.entries(named).map(
    async ([name, one]): Promise<[string, Store]> => [
      name,
      typeof one === 'string' ? await storeFromUrl(one) : one,
    ],
  )
  return new Map(await Promise.all(made))
}

/** A mirror that is not there would only be noticed by jobs that fail for a week. */
export function requireMirrors(
  { router }: Config,
  stores: ReadonlyMap<string, Store>,
): void {
  for (const { name, mirror } of Object.values(router.routes)) {
    if (mirror === null || stores.has(mirror)) continue
    throw new CarcosaError('STORE_UNKNOWN', {
      message: `The route "${name}" names the mirror "${mirror}"; configured stores are ${[...stores.keys()].join(', ')}.`,
    })
  }
}

function isStore(value: Store | Record<string, Store | string>): value is Store {
  return typeof value.write === 'function'
}

/** Prepares all of them, with one ceiling for what is on its way. */
export async function startStores(
  stores: ReadonlyMap<string, Store>,
  { stagingMemory: memory, stagingDisk: disk, stagingDir: directory }: Config,
): Promise<void> {
  const staging = createStaging({ memory, disk, directory })
  for (const store of stores.values()) await store.start({ staging })
}
