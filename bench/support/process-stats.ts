import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** `USER_HZ`: the unit of the times in /proc, 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** User plus system CPU seconds of all threads of process `pid`, in steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field is the command in parentheses and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** CPU seconds of `pid` and the processes it started that still live (Postgres). */
export function familyCpuSeconds(pid: number): number {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').trim().split(' '),
  )
  return children
    .filter((child) => child !== '')
    .reduce((sum, child) => sum + cpuSeconds(Number(child)), cpuSeconds(pid))
}

/** CPU seconds this process, the client, has used so far. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** CPU seconds all processors spent on anything, and those a hypervisor took away. */
export function machineCpuSeconds(): number {
  const line = readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? ''
  const [, user, nice, system, , , irq, softirq, steal] = line.split(/\s+/).map(Number)
  const busy = [user, nice, system, irq, softirq, steal]
  return busy.reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) / ticksPerSecond
}

/** Resident memory of `pid` in MiB: now, or the most since `forgetPeak`. */
export function residentMiB(pid: number, which: 'now' | 'peak'): number {
  const key = which === 'now' ? 'VmRSS' : 'VmHWM'
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(new RegExp(`^${key}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
}

/** Makes the present resident memory the peak (proc(5), clear_refs). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}
