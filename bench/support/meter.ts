import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSeconds, forgetPeak, ownCpuSeconds, residentMiB } from './process-stats.ts'

/** What `work` cost: wall time until it resolved, CPU until the server was quiet again. */
export interface Cost {
  seconds: number
  serverCpuSeconds: number
  clientCpuSeconds: number
  /** Most resident memory of the server while it worked. */
  peakMiB: number
}

/**
 * Runs `work` against the server process `pid`. What the server still does after its last
 * answer (callbacks, jobs, garbage) counts as its CPU but not as time.
 */
export async function meter(pid: number, work: () => Promise<void>): Promise<Cost> {
  forgetPeak(pid)
  const serverBefore = cpuSeconds(pid)
  const clientBefore = ownCpuSeconds()
  const began = performance.now()
  await work()
  const seconds = (performance.now() - began) / 1000
  const clientCpuSeconds = ownCpuSeconds() - clientBefore
  await quiet(pid)
  return {
    seconds,
    serverCpuSeconds: cpuSeconds(pid) - serverBefore,
    clientCpuSeconds,
    peakMiB: residentMiB(pid, 'peak'),
  }
}

/** Resolves once `pid` used at most a tenth of a core for 100 ms; at the latest after 3 s. */
export async function quiet(pid: number): Promise<void> {
  for (let tries = 0; tries < 30; tries++) {
    const before = cpuSeconds(pid)
    await sleep(100)
    if (cpuSeconds(pid) - before <= 0.01) return
  }
}
