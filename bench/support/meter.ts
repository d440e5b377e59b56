import { setTimeout as sleep } from 'node:timers/promises'
import {
  cpuSeconds,
  forgetPeak,
  machineCpuSeconds,
  ownCpuSeconds,
  residentMiB,
} from './process-stats.ts'

/** What `work` cost: wall time until it resolved, CPU until the server was quiet again. */
export interface Cost {
  seconds: number
  serverCpuSeconds: number
  clientCpuSeconds: number
  /** Cores that neither server nor client used meanwhile: database, kernel, strangers. */
  otherCores: number
  /** Most resident memory of the server while it worked. */
  peakMiB: number
}

/**
 * Runs `work` against the server process `pid`. What the server still does after its last
 * answer (callbacks, jobs, garbage) counts as its CPU but not as time.
 */
export async function meter(pid: number, work: () => Promise<void>): Promise<Cost> {
  forgetPeak(pid)
  const before = readings(pid)
  await work()
  const after = readings(pid)
  await quiet(pid)
  const seconds = after.time - before.time
  const server = after.server - before.server
  const client = after.client - before.client
  return {
    seconds,
    serverCpuSeconds: cpuSeconds(pid) - before.server,
    clientCpuSeconds: client,
    otherCores: Math.max(after.machine - before.machine - server - client, 0) / seconds,
    peakMiB: residentMiB(pid, 'peak'),
  }
}

/**
 * Resolves once the whole machine used at most a fifth of a core for half a second. After
 * `seconds` without such a moment the measurement goes ahead: its other cores tell.
 */
export async function quietMachine(seconds: number): Promise<void> {
  for (let tries = 0; tries < seconds * 2; tries++) {
    const before = machineCpuSeconds()
    await sleep(500)
    if (machineCpuSeconds() - before <= 0.1) return
  }
}

/** Resolves once `pid` used at most a tenth of a core for 100 ms; at the latest after 3 s. */
async function quiet(pid: number): Promise<void> {
  for (let tries = 0; tries < 30; tries++) {
    const before = cpuSeconds(pid)
    await sleep(100)
    if (cpuSeconds(pid) - before <= 0.01) return
  }
}

function readings(pid: number) {
  return {
    time: performance.now() / 1000,
    server: cpuSeconds(pid),
    client: ownCpuSeconds(),
    machine: machineCpuSeconds(),
  }
}
