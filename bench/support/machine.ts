import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import type { Options } from '../options.ts'
import type { Workspace } from './workspace.ts'

/** What the figures were measured on and how, one sentence a line. */
export function describeMachine(options: Options, workspace: Workspace): string[] {
  const [cpu] = cpus()
  const flags = options.flags.length > 0 ? options.flags.join(' ') : 'none'
  return [
    `Machine: ${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, ${workspace.fileSystem}; load ${loadavg()[0]?.toFixed(2)} at the start.`,
    `Node ${process.version} for every server; flags for all: ${flags}; "old-space" adds --initial-old-space-size=256.`,
    `${options.rounds} alternating rounds; figures are medians, ratios are medians of the per-round ratios, with smallest and largest.`,
  ]
}

const GiB = 2 ** 30

/**
 * Makes a virtual machine have `bytes` of memory at hand, 4 GiB at most: what its kernel gave back
 * to the host has to be asked for again page by page, at several times the cost of writing to it,
 * which met whoever was measured at that moment.
 */
export function touchMemory(bytes: number): void {
  const script = `const kept = []
    for (let left = ${Math.min(bytes, 4 * GiB)}; left > 0; left -= ${GiB})
      kept.push(Buffer.alloc(Math.min(left, ${GiB}), 1))`
  execFileSync(process.execPath, ['-e', script])
}
