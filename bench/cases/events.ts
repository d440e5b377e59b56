import { readdirSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { expectStatus } from '../support/answer.ts'
import { Connection } from '../support/connection.ts'
import { pieces } from '../support/content.ts'
import {
  type Figures,
  type Subject,
  settledMachine,
  startSubject,
} from '../support/experiment.ts'
import { touchMemory } from '../support/machine.ts'
import { meter } from '../support/meter.ts'
import { residentMiB } from '../support/process-stats.ts'
import { carcosa, oldSpace } from '../support/variants.ts'
import { ratios, single } from '../support/verdict.ts'
import { openWatchers, type Watchers } from '../support/watchers.ts'
import type { Bench, Case } from './case.ts'

const mib = 2 ** 20
const memoryOf = { more: 'of a further subscriber', each: 'of each of all' }

/** Uploads with and without thousands who watch them, and the replay of what happened. */
export const events: Case = async (bench) => {
  const { watchers, uploads, bytes, replay } = bench.options.sizes.events
  const postgres = await bench.postgres()
  const database = await postgres.createDatabase('events')
  const variant = carcosa({ label: 'postgres', database, flags: [oldSpace] })
  const directory = `${bench.workspace.directory}/events`
  bench.workspace.expectRoom(uploads * bytes)
  const started = await startSubject(variant, directory, bench.options.flags)
  const subject = { ...started, directory }
  const phases = { busy: `${uploads} uploads`, idle: '' }
  const results: Record<string, Figures[]> = { alone: [], watched: [] }
  let replayed: Replay
  try {
    const round = { uploads, bytes }
    // A process that works, and has had connections: not one that still loads code.
    await measure(bench, subject, { ...round, watchers: 2 * Math.ceil(watchers / 20) })
    for (let i = 0; i < bench.options.rounds; i++) {
      results.alone?.push(await measure(bench, subject, { ...round, watchers: 0 }))
      results.watched?.push(await measure(bench, subject, { ...round, watchers }))
    }
    replayed = await replayEvents(subject, database, replay)
  } finally {
    await subject.process.stop()
  }
  const measured = { results: { busy: results, idle: {} }, phases }
  return [
    {
      name: 'events',
      title: `${watchers} subscribers of ${uploads} uploads of ${bytes / mib} MiB, over SSE`,
      phases,
      columns: [
        { figure: 'throughput', title: 'MiB/s', range: true },
        { figure: 'cpu', title: 'server CPU s', digits: 2 },
        { figure: 'peak', title: 'peak RSS, MiB' },
        { figure: 'each', title: 'KiB each', digits: 1, range: true },
        { figure: 'more', title: 'of the second half', digits: 1, range: true },
        { figure: 'told', title: 'KiB told to each', digits: 1 },
      ],
      results: measured.results,
      verdicts: [
        // Mostly of the first round, which finds a heap that never held so many. The first half of
        // them also makes V8 enlarge the space for young objects, once for the process.
        ...(['more', 'each'] as const).map((figure) =>
          single(
            {
              title: `resident memory ${memoryOf[figure]}, at most`,
              target: { atMost: 20 },
            },
            Math.max(...(results.watched ?? []).map((one) => one[figure] ?? Number.NaN)),
            'KiB',
          ),
        ),
        ...ratios(measured, [
          {
            title: 'watched / alone, throughput',
            figure: 'throughput',
            of: 'watched',
            against: 'alone',
            target: { atLeast: 0.9 },
          },
        ]),
        single(
          { title: `${replay} events again, complete and in order` },
          replayed.seconds,
          's',
        ),
      ],
      notes: [
        `of the replay ${replayed.numbering.toFixed(2)} s went by until the first event, most of it to number all of them`,
      ],
    },
  ]
}

interface Measured extends Subject {
  directory: string
}

interface Round {
  uploads: number
  bytes: number
  watchers: number
}

async function measure(
  { options }: Bench,
  { api, process, directory }: Measured,
  { uploads, bytes, watchers: count }: Round,
): Promise<Figures> {
  const paths: string[] = []
  const creating = await Connection.open(process.port)
  while (paths.length < uploads) paths.push(await api.create(creating, bytes))
  creating.close()
  const before = residentMiB(process.pid, 'now')
  const half = count / 2
  const watchers: Watchers[] = []
  const resident = [before]
  while (count > 0 && watchers.length < 2) {
    watchers.push(await watch(process.port, half, paths))
    await sleep(options.smoke ? 100 : 3_000)
    resident.push(residentMiB(process.pid, 'now'))
  }
  const [, first = before, second = before] = resident
  await settledMachine(options.patienceSeconds)
  await Promise.all(watchers.map((some) => some.told()))
  touchMemory(uploads * bytes)
  const connections = await Promise.all(paths.map(() => Connection.open(process.port)))

  const cost = await meter(process.pid, async () => {
    const answers = connections.map((connection, index) =>
      connection.request(api.patch(paths[index] ?? '', bytes), pieces(bytes)),
    )
    for (const answer of await Promise.all(answers)) expectStatus(answer, 204)
  })
  for (const connection of connections) connection.close()
  const told = await Promise.all(watchers.map((some) => some.told()))
  const closed = told.reduce((sum, some) => sum + some.closed, 0)
  if (closed > 0) throw new Error(`${closed} subscribers were cut off`)
  for (const some of watchers) await some.close()
  await api.check(paths[0] ?? '', bytes)
  empty(directory)
  return {
    throughput: (uploads * bytes) / mib / cost.seconds,
    cpu: cost.serverCpuSeconds,
    peak: cost.peakMiB,
    each: ((second - before) * 1024) / count,
    more: ((second - first) * 1024) / half,
    told: told.reduce((sum, { bytes }) => sum + bytes, 0) / 1024 / count,
  }
}

/** Deletes the bytes of what was uploaded, so that one round costs as much disk and memory as ten. */
function empty(directory: string): void {
  const entries = readdirSync(`${directory}/files`, {
    recursive: true,
    withFileTypes: true,
  })
  for (const entry of entries) {
    if (entry.isFile()) rmSync(`${entry.parentPath}/${entry.name}`)
  }
}

function watch(
  port: number,
  count: number,
  uploads: readonly string[],
): Promise<Watchers> {
  const paths = uploads.map((path) => `/events?file=${basename(path)}`)
  return openWatchers({ port, count, paths })
}

interface Replay {
  /** Until the last event. */
  seconds: number
  /** Until the first. */
  numbering: number
}

/** Events of one file, put in behind the server's back; throws unless all come, in order. */
async function replayEvents(
  { api, process }: Subject,
  database: string,
  count: number,
): Promise<Replay> {
  const connection = await Connection.open(process.port)
  const id = basename(await api.create(connection, 1))
  connection.close()
  const client = new pg.Client(database)
  await client.connect()
  await client.query(
    `INSERT INTO carcosa.event (project_id, file_id, type, data)
     SELECT 'default', $1, 'file.renamed', jsonb_build_object('id', $1::text, 'i', i)
     FROM generate_series(1, $2::int) i`,
    [id, count],
  )
  await client.end()
  const began = performance.now()
  let first = 0
  let text = ''
  let expected = 1
  await new Promise<void>((resolve, reject) => {
    const path = `/events?file=${id}&lastEventId=0`
    const asked = get({ port: process.port, path, agent: false }, (response) => {
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        const frames = (text + chunk).split('\n\n')
        text = frames.pop() ?? ''
        for (const frame of frames) {
          const [, i] = /^data: .*"i":(\d+)/m.exec(frame) ?? []
          if (i === undefined) continue
          first ||= performance.now()
          if (Number(i) !== expected++) reject(new Error(`${i} came for ${expected - 1}`))
        }
        if (expected <= count) return
        asked.destroy()
        resolve()
      })
      response.on('error', () => undefined)
    })
    asked.on('error', reject)
  })
  const seconds = (performance.now() - began) / 1000
  return { seconds, numbering: (first - began) / 1000 }
}
