import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { GCSStore } from '@tus/gcs-store'
import { type BareTus, bareTus } from '../bare-tus.ts'
import type { GcsFake } from '../gcs-fake.ts'
import { gcsClient } from '../gcs-server.ts'
import { patch } from '../records.ts'

/** The library as it is, with its store of Google Cloud Storage. */
export function bareGcs(fake: GcsFake): Promise<BareTus> {
  const datastore = new GCSStore({ bucket: gcsClient(fake).bucket(fake.bucket) })
  const options = { path: '/files', datastore }
  return bareTus(options)
}

/** How many requests it makes of a PATCH that is not the first. */
export async function requestsOfPatch(bare: BareTus, fake: GcsFake): Promise<number> {
  const path = await bare.upload(6, 'one')
  const before = fake.count()
  await patch(bare.exchange, path, { offset: 3, body: 'two' })
  return fake.count() - before
}

/** What its store prints, in a process of its own, when it is asked for an upload `id`. */
export async function lastWordsAbout(id: string, fake: GcsFake): Promise<string> {
  const script = `
    import { GCSStore } from '@tus/gcs-store'
    import { Storage } from '@google-cloud/storage'
    const storage = new Storage({ apiEndpoint: '${fake.endpoint}', projectId: 'test' })
    const store = new GCSStore({ bucket: storage.bucket('${fake.bucket}') })
    store.getUpload('${id}').catch(() => process.exit(0))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: join(import.meta.dirname, '../../..'),
  })
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  await new Promise((resolve) => child.on('close', resolve))
  return said
}
