import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expectStatus, header, locationPath } from '../support/answer.ts'
import { Connection } from '../support/connection.ts'
import { pieces } from '../support/content.ts'
import { type Figures, type Subject, startSubject } from '../support/experiment.ts'
import { findObject, type S3Backend } from '../support/s3-backend.ts'
import { smallBytes } from '../support/small-uploads.ts'
import { s3Reference, type Variant } from '../support/variants.ts'
import { single, type Target, type Verdict } from '../support/verdict.ts'
import { type Bench, type Case, isWanted, phasesOf } from './case.ts'
import { carcosaOnS3, withBackend } from './s3.ts'

const mib = 2 ** 20
const patches = 20

/** What each way of uploading asks of S3, counted by it; nothing is timed. */
export const s3Requests: Case = (bench) =>
  withBackend(bench, 's3-requests', async (backend) => {
    const variants = [
      s3Reference('bare-s3', { endpoint: backend.endpoint }),
      await carcosaOnS3(bench, 's3_requests', backend),
    ].filter(({ name }) => isWanted(bench.options, name))
    const counted: [Variant, Count[]][] = []
    for (const variant of variants) {
      counted.push([variant, await countAll(bench, backend, variant)])
    }
    return [
      {
        name: 's3-requests',
        title: 'S3: requests to it',
        phases: phasesOf(bench, 'requests'),
        columns: scenarios(bench).map(({ title }) => ({ figure: title, title })),
        results: {
          busy: Object.fromEntries(
            counted.map(([{ name }, counts]) => [name, [figuresOf(counts)]]),
          ),
          idle: {},
        },
        verdicts: counted.flatMap(([{ name }, counts]) =>
          counts.map((count) => verdict(name, count)),
        ),
        notes: counted.flatMap(([{ name }, counts]) =>
          counts.map((count) => `${name}, ${count.title}: ${listed(count)}`),
        ),
      },
    ]
  })

/** A way of uploading, or of asking. */
interface Scenario {
  title: string
  /** Most requests for each file, beyond those for its parts where `beyondParts`. */
  most: number
  beyondParts?: boolean
  /** Done before anything is counted; what it returns is given to `act`. */
  arrange?(subject: Subject, connection: Connection): Promise<string>
  /** What is counted. Returns the path of the upload. */
  act(subject: Subject, connection: Connection, arranged: string): Promise<string>
  /** Bytes of the finished upload; null if it stays unfinished. */
  bytes: number | null
}

/** What one scenario asked. */
interface Count extends Scenario {
  operations: Record<string, number>
  /** Parts the finished object consists of. */
  parts: number
}

function scenarios({ options }: Bench): Scenario[] {
  const large = options.sizes.s3.large
  return [
    {
      title: `${smallBytes / 1024} KiB, POST and PATCH`,
      most: 1,
      act: (subject, connection) => upload(subject, connection, [smallBytes]),
      bytes: smallBytes,
    },
    {
      title: `${smallBytes / 1024} KiB, creation-with-upload`,
      most: 1,
      act: createWithUpload,
      bytes: smallBytes,
    },
    {
      title: `${large / mib} MiB, one PATCH`,
      most: 2,
      beyondParts: true,
      act: (subject, connection) => upload(subject, connection, [large]),
      bytes: large,
    },
    {
      title: `${patches} MiB, ${patches} PATCHes`,
      most: 2,
      beyondParts: true,
      act: (subject, connection) =>
        upload(subject, connection, Array<number>(patches).fill(mib)),
      bytes: patches * mib,
    },
    {
      title: 'HEAD of an unfinished upload',
      most: 0,
      arrange: sendHalf,
      act: ask,
      bytes: null,
    },
  ]
}

async function countAll(
  bench: Bench,
  backend: S3Backend,
  variant: Variant,
): Promise<Count[]> {
  const label = variant.name.replaceAll(/\W+/g, '-')
  const directory = `${bench.workspace.directory}/s3-requests/${label}`
  const subject = await startSubject(variant, directory, bench.options.flags)
  const connection = await Connection.open(subject.process.port)
  const afterwardsMs = bench.options.smoke ? 100 : 500
  const place = { subject, connection, backend, afterwardsMs }
  const counts: Count[] = []
  // What a server asks once in its life is not the price of an upload.
  await upload(subject, connection, [smallBytes])
  for (const scenario of scenarios(bench)) {
    counts.push(await count(place, scenario))
  }
  connection.close()
  await subject.process.stop()
  return counts
}

interface Place {
  subject: Subject
  connection: Connection
  backend: S3Backend
  /** A server may put off what it still asks until after the answer: waited for that long. */
  afterwardsMs: number
}

async function count(place: Place, scenario: Scenario): Promise<Count> {
  const { subject, connection, backend, afterwardsMs } = place
  const arranged = (await scenario.arrange?.(subject, connection)) ?? ''
  await sleep(afterwardsMs)
  await backend.takeCounts()
  const path = await scenario.act(subject, connection, arranged)
  await sleep(afterwardsMs)
  const operations = await backend.takeCounts()
  if (scenario.bytes === null) return { ...scenario, operations, parts: 0 }
  await subject.api.check(path, scenario.bytes)
  const { parts } = await findObject(backend.endpoint, basename(path))
  return { ...scenario, operations, parts: parts.length }
}

/** Creates an upload and sends it in PATCHes of these `lengths`. */
async function upload(
  { api }: Subject,
  connection: Connection,
  lengths: readonly number[],
): Promise<string> {
  const size = lengths.reduce((sum, length) => sum + length, 0)
  const path = await api.create(connection, size)
  let offset = 0
  for (const length of lengths) {
    const head = api.patch(path, length, offset)
    expectStatus(await connection.request(head, pieces(length, offset)), 204)
    offset += length
  }
  return path
}

async function createWithUpload(
  { api }: Subject,
  connection: Connection,
): Promise<string> {
  const head = api.createWithUpload(smallBytes, smallBytes)
  const answer = await connection.request(head, pieces(smallBytes))
  return locationPath(expectStatus(answer, 201))
}

async function sendHalf({ api }: Subject, connection: Connection): Promise<string> {
  const path = await api.create(connection, patches * mib)
  const half = (patches / 2) * mib
  expectStatus(await connection.request(api.patch(path, half), pieces(half)), 204)
  return path
}

async function ask(
  { api }: Subject,
  connection: Connection,
  path: string,
): Promise<string> {
  const answer = expectStatus(await connection.request(api.head(path)), 200)
  const offset = header(answer, 'upload-offset')
  if (offset !== `${(patches / 2) * mib}`) throw new Error(`Upload-Offset: ${offset}`)
  return path
}

function total({ operations }: Count): number {
  return Object.values(operations).reduce((sum, requests) => sum + requests, 0)
}

function figuresOf(counts: readonly Count[]): Figures {
  return Object.fromEntries(counts.map((count) => [count.title, total(count)]))
}

function verdict(name: string, count: Count): Verdict {
  const { beyondParts, most, parts, title } = count
  const target: Target | undefined = name === 'bare-s3' ? undefined : { atMost: most }
  const what = beyondParts ? `${title}, beyond its ${parts} parts` : title
  const requests = beyondParts ? total(count) - parts : total(count)
  return single({ title: `${name}: ${what}`, target }, requests, 'requests')
}

function listed({ operations }: Count): string {
  const each = Object.entries(operations).map(([name, requests]) => `${requests} ${name}`)
  return each.join(', ') || 'none'
}
