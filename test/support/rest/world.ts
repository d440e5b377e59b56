import { apiKeys } from '../../../src/auth/api-keys.ts'
import type { NewApiKey } from '../../../src/auth/keys.ts'
import type { CarcosaOptions } from '../../../src/config.ts'
import { newId } from '../../../src/shared/ids.ts'
import type { Answered } from '../exchange.ts'
import { created } from '../records.ts'
import { bearer, startServer, type TestServer } from '../server.ts'

/** A request below `/api/v1`, as a test writes it down. */
export interface RestAsked {
  method?: string
  /** Behind `/api/v1`, with the query. */
  path: string
  headers?: Record<string, string>
  /** Sent as JSON. */
  body?: unknown
}

interface Whose {
  ownerId?: string
  projectId?: string
  route?: string
}

/** A server with two projects, and what is needed to ask its REST API. */
export interface RestWorld {
  readonly server: TestServer
  /** Asks with a key of an owner of the default project, unless `headers` say who. */
  ask(asked: RestAsked): Promise<Answered>
  /** The header of a new API key; by default of an owner in the default project. */
  as(key?: Partial<NewApiKey>): Promise<{ Authorization: string }>
  /** A finished file of `ownerId`. */
  file(more?: Whose): Promise<string>
  /** An upload of `ownerId` that has two of its five bytes. */
  upload(more?: Whose): Promise<string>
}

/** The project beside `default`. */
export const otherProject = 'p2'

export async function restWorld(
  options: Partial<CarcosaOptions> = {},
): Promise<RestWorld> {
  const server = await startServer({
    ...{
      auth: [apiKeys(), bearer],
      deleteGrace: '1 hour',
      outboundNetworks: ['loopback'],
    },
    ...options,
  })
  const { db } = server.uploads
  await db.prisma.project.create({ data: { id: otherProject, name: 'Two' } })
  const as: RestWorld['as'] = async (key = {}) => {
    const { token } = await server.carcosa.api.keys.create({
      ...{ name: 'test', role: 'owner' },
      ...key,
    })
    return { Authorization: `Bearer ${token}` }
  }
  const owner = await as()

  return {
    server,
    as,
    ask({ method = 'GET', path, headers = owner, body }) {
      const json = body !== undefined && { 'Content-Type': 'application/json' }
      return server.doors.fetch({
        method,
        path: `/api/v1${path}`,
        headers: { 'Tus-Resumable': null, ...json, ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    },
    async upload({ ownerId = newId(), projectId = 'default', route = 'private' } = {}) {
      const url = await created(server.doors.http, { route, length: 5, bytes: 'he' })
      const id = url.split('/').pop() ?? ''
      await db.prisma.file.update({ where: { id }, data: { projectId, ownerId } })
      return id
    },
    async file({ ownerId = newId(), projectId = 'default', route = 'mine' } = {}) {
      const { api } = server.carcosa
      const { id } = await api.files.upload('hello', {
        route,
        filename: 'a.txt',
        ownerId,
      })
      const data = { projectId }
      await db.prisma.file.update({ where: { id }, data })
      return id
    },
  }
}
