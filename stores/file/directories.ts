import { lstat, mkdir, rmdir } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import { codeOf, nullIfMissing } from './errors.ts'
import { syncDirectory } from './sync.ts'

/**
 * The directories below the one of a store. A symbolic link in place of one is refused: it
 * would lead out. Each is looked at once, so this costs nothing per file.
 */
export interface Directories {
  /** Runs `work` with the directory of `path` there, and again if it was pruned meanwhile. */
  within<T>(path: string, work: () => Promise<T>): Promise<T>
  /** @throws if the directory of `path` is a symbolic link, or below one */
  check(path: string): Promise<void>
  /** Removes the directory of `path` and those above it, up to the shard, as far as empty. */
  prune(path: string): Promise<void>
}

export interface Place {
  readonly root: string
  /** Whether what is made here must outlive a power cut. */
  readonly durable: boolean
}

/** Directories remembered. With slashes in keys there may be any number of them. */
const capacity = 10_000

export function createDirectories({ root, durable }: Place): Directories {
  // Made ones are on disk if they must be; others were only seen to be no links.
  const known = new Map<string, 'seen' | 'made'>()
  const note = (path: string, how: 'seen' | 'made') => {
    if (known.size >= capacity) known.clear()
    known.set(path, how)
  }
  const make = async (path: string): Promise<void> => {
    if (known.get(path) === 'made') return
    if (path === root) await makeRoot({ root, durable })
    else {
      await make(dirname(path))
      await makeOne(path, durable)
    }
    note(path, 'made')
  }
  const forget = (path: string) => {
    for (let at = path; at.length > root.length; at = dirname(at)) known.delete(at)
    known.delete(root)
  }
  const look = async (path: string): Promise<void> => {
    if (path === root || known.has(path)) return
    await look(dirname(path))
    if (await requireNoLink(path)) note(path, 'seen')
  }

  return {
    async within(path, work) {
      const directory = dirname(path)
      for (let attempt = 1; ; attempt++) {
        try {
          await make(directory)
          return await work()
        } catch (error) {
          if (codeOf(error) !== 'ENOENT' || attempt === 5) throw error
          forget(directory)
        }
      }
    },

    check: (path) => look(dirname(path)),

    async prune(path) {
      const isBelowShard = (at: string) => at.slice(root.length + 1).includes(sep)
      for (let at = dirname(path); isBelowShard(at); at = dirname(at)) {
        known.delete(at)
        // It is not empty, or somebody was faster.
        if (
          await rmdir(at).then(
            () => false,
            () => true,
          )
        )
          return
      }
    },
  }
}

/** Makes the directory of the store, and those above it. */
export async function makeRoot({ root, durable }: Place): Promise<void> {
  const first = await mkdir(root, { recursive: true, mode: 0o700 })
  if (!durable || first === undefined) return
  for (let at = root; at.length >= first.length; at = dirname(at)) {
    await syncDirectory(dirname(at))
  }
}

async function makeOne(path: string, durable: boolean): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error
    return requireNoLink(path)
  })
  // Also where another request made it: it may not have come so far yet.
  if (durable) await syncDirectory(dirname(path))
}

/** False if there is nothing. */
async function requireNoLink(path: string): Promise<boolean> {
  const found = await lstat(path).catch(nullIfMissing)
  if (!found) return false
  if (found.isDirectory()) return true
  const code = found.isSymbolicLink() ? 'ELOOP' : 'ENOTDIR'
  throw Object.assign(new Error(`${code}: ${path} is not a directory`), { code })
}
