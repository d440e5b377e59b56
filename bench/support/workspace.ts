import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { join } from 'node:path'

/** A directory on the disk under test; everything of one run lies below it. */
export interface Workspace {
  readonly directory: string
  /** File system type, e.g. `ext4`. */
  readonly fileSystem: string
  /** Throws unless `bytes` fit with a tenth of them to spare. */
  expectRoom(bytes: number): void
  remove(): void
}

/** Makes a workspace below `parent`. */
export function makeWorkspace(parent: string): Workspace {
  const directory = realpathSync(mkdtempSync(join(parent, 'carcosa-bench-')))
  // Postgres, which never runs as root, must reach its own directory below.
  chmodSync(directory, 0o755)
  return {
    directory,
    fileSystem: fileSystemOf(directory),
    expectRoom: (bytes) => {
      const { bavail, bsize } = statfsSync(directory)
      if (bavail * bsize > bytes * 1.1) return
      const gib = (value: number) => `${(value / 2 ** 30).toFixed(1)} GiB`
      throw new Error(
        `${directory} has ${gib(bavail * bsize)} free and this case writes ${gib(bytes)}; ` +
          'use --dir for another disk, fewer --rounds or smaller sizes.',
      )
    },
    // Servers that were killed a moment ago may still be writing.
    remove: () =>
      rmSync(directory, {
        recursive: true,
        force: true,
        maxRetries: 10,
        retryDelay: 100,
      }),
  }
}

function fileSystemOf(directory: string): string {
  const mounts = readFileSync('/proc/mounts', 'latin1').trim().split('\n')
  const fitting = mounts
    .map((line) => line.split(' '))
    .filter(([, point = '']) =>
      `${directory}/`.startsWith(`${point}/`.replace('//', '/')),
    )
    .toSorted(([, a = ''], [, b = '']) => b.length - a.length)
  return fitting[0]?.[2] ?? 'unknown'
}
