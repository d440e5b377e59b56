import { newId } from '../../../src/shared/ids.ts'
import type { Asked } from '../exchange.ts'
import { offsetStream } from '../records.ts'
import type { MakeRequest } from './matrix.ts'
import type { At } from './targets.ts'
import { firstOf, type IsolationWorld } from './world.ts'

type Ask = (route: string, id: string) => Asked

const plain =
  (method: string, headers: Record<string, string> = {}): Ask =>
  (route, id) => ({ method, path: `/uploads/${route}/${id}`, headers })

const json = (path: string, body: unknown): Asked => ({
  ...{ method: 'POST', path, body: JSON.stringify(body) },
  headers: { 'Content-Type': 'application/json' },
})

const bytes = { 'Upload-Offset': '2', 'Content-Type': offsetStream }

async function fileAt(world: IsolationWorld, { place }: At): Promise<string> {
  return place ? world.file(place) : newId()
}

const ofUpload =
  (ask: Ask): MakeRequest =>
  async (world, { place }) =>
    ask(place?.route ?? 'mine', place ? await world.upload(place) : newId())

const ofFile =
  (ask: Ask): MakeRequest =>
  async (world, at) =>
    ask(at.place?.route ?? 'mine', await fileAt(world, at))

/** HEAD is judged like GET, and watches nothing. */
const events =
  (queryOf: (world: IsolationWorld, at: At) => Promise<string>): MakeRequest =>
  async (world, at) => ({ method: 'HEAD', path: `/events?${await queryOf(world, at)}` })

/** What each row of {@link pathsTable} sends. */
export const pathRequests: Readonly<Record<string, MakeRequest>> = {
  POST: async () => ({
    ...{ method: 'POST', path: '/uploads/mine' },
    headers: { 'Upload-Length': '5' },
  }),
  prepare: async () =>
    json('/uploads/mine/prepare', { files: [{ name: 'a', size: 5, type: '' }] }),
  HEAD: ofUpload(plain('HEAD')),
  PATCH: ofUpload((route, id) => ({ ...plain('PATCH', bytes)(route, id), body: 'llo' })),
  override: ofUpload((route, id) => ({
    ...plain('POST', { ...bytes, 'X-HTTP-Method-Override': 'PATCH' })(route, id),
    body: 'llo',
  })),
  DELETE: ofUpload(plain('DELETE')),
  status: ofUpload(plain('GET')),
  /** Of an upload that is not a direct one, which is only told to who may finish it. */
  finish: ofUpload((route, id) =>
    json(`/uploads/${route}/${id}/finish`, { receipts: [] }),
  ),
  'DELETE file': ofFile(plain('DELETE')),
  'status file': ofFile(plain('GET')),
  'GET file': ofFile((_, id) => ({ method: 'GET', path: `/files/${id}` })),
  'HEAD file': ofFile((_, id) => ({ method: 'HEAD', path: `/files/${id}` })),
  'range of file': ofFile((_, id) => ({
    ...{ method: 'GET', path: `/files/${id}` },
    headers: { Range: 'bytes=1-2' },
  })),
  'events file': events(async (world, at) => `file=${await fileAt(world, at)}`),
  'events batch': events(async (world, at) => {
    const batchId = newId()
    const id = await fileAt(world, at)
    const { prisma } = world.server.uploads.db
    if (at.place) await prisma.file.update({ where: { id }, data: { batchId } })
    return `batch=${batchId}`
  }),
  'events project': events(async (_, { place }) => {
    return `project=${place?.projectId ?? `prj_${newId()}`}`
  }),
  'events route': events(async (world, { place }) => {
    const isOurs = place?.organizationId === world.a.id
    return `route=${isOurs ? 'mine' : 'nowhere'}`
  }),
  /** One's own project does not open the file of another. */
  'events of two': events(
    async (world, at) =>
      `route=mine&file=${await fileAt(world, at)}&project=${firstOf(world.a)}`,
  ),
}
