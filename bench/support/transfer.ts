import { expectStatus } from './answer.ts'
import { Connection } from './connection.ts'
import { pieces } from './content.ts'
import type { Experiment, Figures, Subject } from './experiment.ts'
import { touchMemory } from './machine.ts'
import { meter } from './meter.ts'
import { residentMiB } from './process-stats.ts'

const mib = 2 ** 20

/** Uploads of `bytes` each, `parallel` at once, each in one PATCH on its own connection. */
export interface Transfer {
  parallel: number
  bytes: number
  /** How many of the files are read back and compared. */
  compare: number
}

/** The steps of an experiment whose measurement is one such transfer. */
export function transferSteps(
  transfer: Transfer,
): Pick<Experiment, 'prepare' | 'measure' | 'check'> {
  const sent = new Map<Subject, string[]>()
  return {
    // One upload of 1 MiB: "fresh" is a process that works, not one that still loads code.
    prepare: async (subject) => {
      await send(subject, { parallel: 1, bytes: mib })
      sent.set(subject, [])
    },
    measure: async (subject) => {
      touchMemory(transfer.parallel * transfer.bytes)
      const { figures, paths } = await send(subject, transfer)
      sent.get(subject)?.push(...paths.slice(0, transfer.compare))
      return figures
    },
    check: async (subject) => {
      for (const path of sent.get(subject) ?? []) {
        await subject.api.check(path, transfer.bytes)
      }
    },
  }
}

/** Sends the uploads and returns what it cost and where the files are. */
export async function send(
  subject: Subject,
  transfer: Pick<Transfer, 'parallel' | 'bytes'>,
) {
  const { parallel, bytes } = transfer
  const { api, process } = subject
  const connections = await Promise.all(
    Array.from({ length: parallel }, () => Connection.open(process.port)),
  )
  const paths: string[] = []
  for (const connection of connections) paths.push(await api.create(connection, bytes))
  const residentBefore = residentMiB(process.pid, 'now')

  const cost = await meter(process.pid, async () => {
    const answers = connections.map((connection, index) =>
      connection.request(api.patch(paths[index] ?? '', bytes), pieces(bytes)),
    )
    for (const answer of await Promise.all(answers)) expectStatus(answer, 204)
  })
  for (const connection of connections) connection.close()
  const figures: Figures = {
    throughput: (parallel * bytes) / mib / cost.seconds,
    cpu: cost.serverCpuSeconds,
    peak: cost.peakMiB,
    before: residentBefore,
    client: cost.clientCpuSeconds,
    others: cost.otherCores,
    seconds: cost.seconds,
  }
  return { figures, paths }
}
