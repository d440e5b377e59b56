import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { postgres } from '../postgres.ts'
import { content } from './content.ts'
import { type Host, startHost } from './host.ts'
import type { Place } from './place.ts'
import type { Plan } from './plan.ts'
import { download, settle } from './reader.ts'
import { openRecords, type Records } from './records.ts'
import { tidy } from './tidy.ts'
import { createUploader } from './uploader.ts'

/** What happened in a run, for a summary. */
export type Report = Readonly<Record<string, number>>

/**
 * One upload to an object store while everything goes wrong, and all that must be true
 * afterwards.
 * @throws what was not true, with the last lines of the server's log
 */
export async function chaosRun(plan: Plan, place: Place): Promise<Report> {
  const dataDir = await mkdtemp(join(tmpdir(), 'carcosa-chaos-'))
  await mkdir(join(dataDir, 'staging'))
  const database = await postgres()
  const records = await openRecords(database.url)
  const log = join(dataDir, 'log')
  const callbackLog = join(dataDir, 'callbacks')
  const staging = { ...plan.staging, directory: join(dataDir, 'staging') }
  const store = { ...place.store, staging }
  const settings = { dataDir, database: database.url, store, log, callbackLog }
  const host = await startHost(settings, plan.random)
  try {
    const scene = { plan, place, host, records, dataDir, database: database.url }
    const report = await play(scene)
    return report
  } catch (cause) {
    throw new Error(`${messageOf(cause)}\n${await tailOf(log)}`, { cause })
  } finally {
    await host.kill()
    await records.close()
    await database.drop()
    await rm(dataDir, { recursive: true })
  }
}

interface Scene {
  plan: Plan
  place: Place
  host: Host
  records: Records
  dataDir: string
  database: string
}

async function play(scene: Scene): Promise<Report> {
  const { plan, place, host, dataDir, database } = scene
  const file = content(plan.size, plan.seed)
  const started = performance.now()
  place.faults.rate = plan.faultRate
  const uploader = await createUploader(host, plan, file)
  const id = uploader.path.split('/').at(-1) ?? ''
  await uploader.upload()
  await download(host, id, file)
  place.faults.rate = 0

  const settled = await settle(host, uploader.path)
  assert.is(settled.state, 'ready')
  assert.is(settled.sha256, file.sha256, 'the recorded digest')
  assert.is(settled.size, file.size)
  await host.stop()
  await verify(scene, id)
  const leaked = await tidy({ ids: [id], place, database, dataDir })
  return {
    seconds: Math.round((performance.now() - started) / 1_000),
    lives: host.lives,
    leaked,
    ...Object.fromEntries(uploader.happened),
    ...Object.fromEntries(place.faults.happened),
  }
}

async function verify({ records, dataDir }: Scene, id: string) {
  const events = await records.events(id)
  assert.equal(events.sort(), ['file.created', 'file.ready', 'file.stored'])
  const keys = (await readFile(join(dataDir, 'callbacks'), 'utf8')).trim().split('\n')
  assert.equal([...new Set(keys)], [id], 'every run of the callback had the same key')
  assert.equal(await records.pieces(id), 0, 'pieces of a finished upload are kept')
  assert.equal(await readdir(join(dataDir, 'staging')), [])
}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const details = error instanceof assert.Assertion ? error.details : ''
  return `${error.stack}\n${details}`
}

export async function tailOf(log: string): Promise<string> {
  const lines = await readFile(log, 'utf8').catch(() => '')
  return lines.trim().split('\n').slice(-12).join('\n')
}
