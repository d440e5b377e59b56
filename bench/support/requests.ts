import type { Answer } from './answer.ts'
import { Connection } from './connection.ts'
import type { Figures, Subject } from './experiment.ts'
import { meter } from './meter.ts'
import { percentile } from './statistics.ts'

/** Many small requests, a fixed number of them under way at any time. */
export interface Load {
  requests: number
  connections: number
  /** The bytes of request number `index`. */
  request(index: number): Buffer
  /** Throws on a wrong answer. */
  accept(answer: Answer): void
}

/** Sends the load over keep-alive connections; times are in ms, CPU in µs per request. */
export async function sendLoad(subject: Subject, load: Load): Promise<Figures> {
  const { pid, port } = subject.process
  const connections = await Promise.all(
    Array.from({ length: load.connections }, () => Connection.open(port)),
  )
  const times: number[] = []
  let next = 0
  const keepBusy = async (connection: Connection) => {
    while (next < load.requests) {
      const began = performance.now()
      const answer = await connection.request(load.request(next++))
      times.push(performance.now() - began)
      load.accept(answer)
    }
  }
  const cost = await meter(pid, async () => {
    await Promise.all(connections.map(keepBusy))
  })
  for (const connection of connections) connection.close()
  return {
    rate: load.requests / cost.seconds,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    cpu: (cost.serverCpuSeconds / load.requests) * 1e6,
    peak: cost.peakMiB,
    client: (cost.clientCpuSeconds / load.requests) * 1e6,
    others: cost.otherCores,
    seconds: cost.seconds,
  }
}
