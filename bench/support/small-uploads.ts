import { expectStatus, locationPath } from './answer.ts'
import { Connection } from './connection.ts'
import { pieces } from './content.ts'
import type { Experiment, Subject } from './experiment.ts'
import type { Postgres } from './postgres.ts'
import { sendLoad } from './requests.ts'

/** Bytes of a small upload. */
export const smallBytes = 10 * 1024

/** How many small uploads are under way at any time, unless a case says otherwise. */
export const smallConnections = 32

/** Many creations with upload over keep-alive connections. */
export interface SmallLoad {
  uploads: number
  connections?: number
  /** Whose CPU is measured beside the server's, and for which variants. */
  database?: { postgres: Postgres; isUsedBy(name: string): boolean }
  /** How many of the last round's files are read back and compared. */
  compare: number
}

/** The steps of an experiment whose measurement is one such load; the first one is not counted. */
export function smallSteps(
  load: SmallLoad,
): Pick<Experiment, 'prepare' | 'measure' | 'check'> {
  const kept = new Map<Subject, string[]>()
  return {
    prepare: async (subject) => {
      await sendSmall(subject, load.uploads, load.connections)
    },
    measure: async (subject) => {
      const { database } = load
      const used = database?.isUsedBy(subject.variant.name) ? database.postgres : null
      const before = used?.cpuSeconds() ?? Number.NaN
      const { figures, paths } = await sendSmall(subject, load.uploads, load.connections)
      const databaseSeconds = (used?.cpuSeconds() ?? Number.NaN) - before
      kept.set(subject, paths.slice(0, load.compare))
      return { ...figures, databaseCpu: (databaseSeconds / load.uploads) * 1e6 }
    },
    check: async (subject) => {
      for (const path of kept.get(subject) ?? []) {
        await subject.api.check(path, smallBytes)
      }
    },
  }
}

/** Sends `uploads` creations with upload and returns where the files are. */
export async function sendSmall(
  subject: Subject,
  uploads: number,
  connections: number = smallConnections,
) {
  const head = subject.api.createWithUpload(smallBytes, smallBytes)
  const request = Buffer.concat([head, ...pieces(smallBytes)])
  const paths: string[] = []
  const figures = await sendLoad(subject, {
    requests: uploads,
    connections,
    request: () => request,
    accept: (answer) => {
      paths.push(locationPath(expectStatus(answer, 201)))
    },
  })
  return { figures, paths }
}

/** Creates `count` uploads and sends the first half of each. */
export async function sendHalves(subject: Subject, count: number): Promise<string[]> {
  const half = smallBytes / 2
  const head = subject.api.createWithUpload(smallBytes, half)
  const request = Buffer.concat([head, ...pieces(half)])
  const connection = await Connection.open(subject.process.port)
  const paths: string[] = []
  for (let index = 0; index < count; index++) {
    const answer = expectStatus(await connection.request(request), 201)
    paths.push(locationPath(answer))
  }
  connection.close()
  return paths
}
