import { Readable } from 'node:stream'
import { suite } from 'uvu'
import type { FileRecord } from '../../src/files/record.ts'
import type { ReconcileOptions } from '../../src/upkeep/reconcile.ts'
import type { ReconcileReport } from '../../src/upkeep/reconcile-report.ts'
import { type MemoryStore, memory } from '../../stores/memory.ts'
import type { S3Fake } from './s3-fake.ts'
import { startServer, type TestServer } from './server.ts'

/** What tests of `src/uploads/reconcile.ts` do to stores and rows behind everybody's back. */

/** Longer ago than any grace period of these tests. */
export const longAgo = new Date(Date.now() - 10 * 24 * 3_600_000)

/** A finished file of `text` on the route `demo`. */
export function stored(server: TestServer, text = 'hello'): Promise<FileRecord> {
  return server.carcosa.api.files.upload(text, { route: 'demo' })
}

/** An object that no row knows. */
export function stray(store: MemoryStore, key: string, modifiedAt = longAgo): void {
  store.objects.set(key, { bytes: Buffer.from('stray'), finished: true, modifiedAt })
}

/** Makes all objects old, so that their age protects none. */
export function ageMemory(store: MemoryStore): void {
  for (const object of store.objects.values()) object.modifiedAt = longAgo
}

/** Makes all objects and unfinished uploads old. */
export function ageS3({ objects, uploads }: S3Fake): void {
  for (const object of objects.values()) Object.assign(object, { lastModified: longAgo })
  for (const upload of uploads.values()) upload.initiated = longAgo
}

/** Puts a copy of a file into `to`, with its row. */
export async function copied(
  server: TestServer,
  { id, key, storeName }: FileRecord,
  to: string,
): Promise<void> {
  const opened = await server.uploads.stores.get(storeName)?.open(key)
  if (!opened) throw new Error(`there is nothing to copy at ${key}`)
  await server.uploads.stores.get(to)?.put(key, Readable.from(opened.stream), {})
  await server.uploads.db.query(
    {
      name: 'test_copy',
      sql: 'INSERT INTO carcosa.file_copy (file_id, store_name, key) VALUES ($1, $2, $3)',
    },
    [id, to, key],
  )
}

export async function forgetAllRows({ uploads }: TestServer): Promise<void> {
  await uploads.db.executeSql('TRUNCATE carcosa.file CASCADE')
}

export interface Reconciling {
  server: TestServer
  /** Where uploads go. */
  main: MemoryStore
  mirror: MemoryStore
}

/** A suite whose tests find two empty stores and no rows. */
export function reconcilingSuite(title: string) {
  // Filled by the hooks before any test runs.
  const test = suite(title, {} as Reconciling)
  test.before(async (context) => {
    context.main = memory()
    context.mirror = memory()
    const { main, mirror } = context
    context.server = await startServer({ store: { main, mirror } })
  })
  test.after(({ server }) => server.close())
  test.before.each(async ({ server, main, mirror }) => {
    await forgetAllRows(server)
    main.objects.clear()
    mirror.objects.clear()
  })
  return test
}

export function reconcile(
  { carcosa }: TestServer,
  options: ReconcileOptions = {},
): Promise<ReconcileReport> {
  return carcosa.api.stores.reconcile(options)
}

/** What was found in each store: `[unfinished, orphans, missing]`. */
export function found({ stores }: ReconcileReport): number[][] {
  return stores.map(({ unfinished, orphans, missing }) => [
    unfinished.found,
    orphans.found,
    missing?.found ?? -1,
  ])
}

/** Nothing, in both stores. */
export const clean = [
  [0, 0, 0],
  [0, 0, 0],
]
