import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { startPostgresServer } from '../postgres.ts'
import { seededRandom } from '../random.ts'
import { s3Server } from '../s3-server.ts'
import { startAudit } from './audit.ts'
import { type Content, content } from './content.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { s3Place } from './place.ts'
import { type Plan, planRun } from './plan.ts'
import { download, settle } from './reader.ts'
import { openRecords } from './records.ts'
import { messageOf, type Report, tailOf } from './run.ts'
import { tidy } from './tidy.ts'
import { createUploader } from './uploader.ts'

export interface FleetPlan {
  seed: number
  nodes: number
  uploads: number
  /** Uploads at the same time. */
  parallel: number
  /** Between two troubles, in ms. */
  everyMs: number
  freezeMs: number
}

const mib = 1024 ** 2

/**
 * Many uploads whose every request goes to another node, while nodes are killed, frozen and cut
 * off from the database and the database is restarted; and all that must be true afterwards.
 * @throws what was not true, with the last lines of the servers' log
 */
export async function fleetRun(plan: FleetPlan): Promise<Report> {
  const { seed, nodes } = plan
  const random = seededRandom(seed)
  const dataDir = await mkdtemp(join(tmpdir(), 'carcosa-fleet-'))
  await mkdir(join(dataDir, 'staging'))
  const log = join(dataDir, 'log')
  const postgres = await startPostgresServer()
  const server = await s3Server()
  const place = await s3Place(server, planRun(seed, { least: 1, most: 1 }))
  const settings = {
    dataDir,
    database: postgres.url,
    store: place.direct,
    secret: 'a-secret-that-all-nodes-have-got-in-common',
    log,
    callbackLog: join(dataDir, 'callbacks'),
  }
  let fleet: Fleet | undefined
  // Waited for before anything is taken down, however the run ends.
  const underWay: Promise<void>[] = []
  try {
    fleet = await startFleet(settings, { nodes, postgres })
    const audit = await startAudit(postgres.url)
    const started = performance.now()
    const { everyMs, freezeMs } = plan
    const troubles = fleet.trouble({ everyMs, freezeMs, random })
    const restart = restartOnce(fleet, plan)
    underWay.push(restart, troubles.stopped)
    const uploads = await uploadAll(fleet, plan, random)
    fleet.calm()
    await troubles.stopped
    await restart
    const ids = uploads.map(({ id }) => id)
    for (const upload of uploads) await verify(fleet, upload)
    await fleet.stop()
    await verifyRecords(postgres.url, ids)
    const audited = await audit.verify(ids)
    const leaked = await tidy({ ids, place, database: postgres.url, dataDir })
    return {
      seconds: Math.round((performance.now() - started) / 1_000),
      lives: fleet.host.lives,
      leaked,
      ...audited,
      ...Object.fromEntries(fleet.happened),
      ...sumOf(uploads.map(({ happened }) => happened)),
    }
  } catch (cause) {
    throw new Error(`${messageOf(cause)}\n${await tailOf(log)}`, { cause })
  } finally {
    fleet?.calm()
    await Promise.allSettled(underWay)
    await fleet?.kill()
    await place.close()
    await server.stop()
    await postgres.stop()
    await rm(dataDir, { recursive: true })
  }
}

interface Done {
  id: string
  path: string
  file: Content
  happened: ReadonlyMap<string, number>
}

async function uploadAll(fleet: Fleet, plan: FleetPlan, random: () => number) {
  const done: Done[] = []
  let next = 0
  const work = async () => {
    while (next < plan.uploads) {
      const own = clientPlan(plan.seed * 1_000 + next++, random)
      const file = content(own.size, own.seed)
      const uploader = await createUploader(fleet.host, own, file)
      await uploader.upload()
      const { path, happened } = uploader
      done.push({ id: path.split('/').at(-1) ?? '', path, file, happened })
    }
  }
  await Promise.all(Array.from({ length: plan.parallel }, work))
  return done
}

/** Files of none, one and some parts; some of the requests hang up, chase or repeat each other. */
function clientPlan(seed: number, random: () => number): Plan {
  const sizes = { least: 100_000, most: 16 * mib }
  return {
    ...planRun(seed, sizes),
    pieceSize: Math.floor((0.5 + 6 * random()) * mib),
    disturbances: 2,
    kinds: ['gone', 'asked', 'moved', 'rivalled'],
    patience: 3_000,
  }
}

/** Once, when things are well under way. */
async function restartOnce(fleet: Fleet, { everyMs }: FleetPlan): Promise<void> {
  await sleep(4 * everyMs)
  await fleet.restartDatabase()
}

async function verify({ host }: Fleet, { id, path, file }: Done): Promise<void> {
  const settled = await settle(host, path)
  assert.is(settled.state, 'ready')
  assert.is(settled.sha256, file.sha256, 'the recorded digest')
  await download(host, id, file)
}

async function verifyRecords(url: string, ids: readonly string[]): Promise<void> {
  const records = await openRecords(url)
  for (const id of ids) {
    const events = await records.events(id)
    assert.equal(events.sort(), ['file.created', 'file.ready', 'file.stored'])
    assert.is(await records.pieces(id), 0, 'pieces of a finished upload are kept')
  }
  await records.close()
}

function sumOf(maps: readonly ReadonlyMap<string, number>[]): Report {
  const all = new Map<string, number>()
  for (const map of maps) {
    for (const [what, times] of map) all.set(what, (all.get(what) ?? 0) + times)
  }
  return Object.fromEntries(all)
}
