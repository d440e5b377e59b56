import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ListedObject } from '../store.ts'
import { codeOf, nullIfMissing, storageError } from './errors.ts'
import { isFileKey, shardOf } from './paths.ts'

/** Files whose sizes are asked for at the same time. */
const together = 64

/** Every file below `root` that lies where its key puts it. */
export async function* listFiles(root: string): AsyncGenerator<ListedObject> {
  try {
    let batch: string[] = []
    for await (const key of keysBelow(root)) {
      batch.push(key)
      if (batch.length < together) continue
      yield* await inspect(root, batch)
      batch = []
    }
    yield* await inspect(root, batch)
  } catch (error) {
    throw storageError(error)
  }
}

async function* keysBelow(root: string): AsyncGenerator<string> {
  for await (const { name: shard, isDirectory } of entriesOf(root)) {
    if (!isDirectory || shard.length !== 1) continue
    for await (const key of filesBelow(join(root, shard), '')) {
      if (isFileKey(key) && shardOf(key) === shard) yield key
    }
  }
}

async function* filesBelow(directory: string, prefix: string): AsyncGenerator<string> {
  for await (const { name, isDirectory, isFile } of entriesOf(directory)) {
    if (isFile) yield prefix + name
    if (isDirectory) yield* filesBelow(join(directory, name), `${prefix}${name}/`)
  }
}

/** A symbolic link is neither file nor directory. */
async function* entriesOf(path: string) {
  const directory = await opendir(path, { bufferSize: 256 }).catch(ignoreMissing)
  if (!directory) return
  for await (const entry of directory) {
    yield {
      name: entry.name,
      isFile: entry.isFile(),
      isDirectory: entry.isDirectory(),
    }
  }
}

async function inspect(root: string, keys: readonly string[]): Promise<ListedObject[]> {
  const found = await Promise.all(
    keys.map(async (key) => {
      const info = await lstat(join(root, shardOf(key), key)).catch(nullIfMissing)
      return info && { key, size: info.size, modifiedAt: info.mtime }
    }),
  )
  return found.filter((object) => object !== null)
}

/** It was pruned since it was seen. */
function ignoreMissing(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null
  throw error
}
