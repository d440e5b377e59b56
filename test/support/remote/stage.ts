import {
  createRemoteApi,
  type RemoteApi,
  type SharedApi,
} from '../../../src/remote/remote.ts'
import { newId } from '../../../src/shared/ids.ts'
import { person } from '../rest/organizations.ts'
import { type RestWorld, restWorld } from '../rest/world.ts'

/** One of the two: the API in the process, or the same from elsewhere. */
export interface Stage {
  readonly api: SharedApi
  readonly world: RestWorld
  /** The same API as somebody with an account. */
  as(user: string): SharedApi
  /** Makes a file, not by the API that is looked at. */
  file(): Promise<string>
  /** An upload that has two of its five bytes. */
  upload(): Promise<string>
  /** An organization with its owner and another member. */
  organization(): Promise<{ id: string; ownerId: string; userId: string }>
}

export interface Stages {
  readonly world: RestWorld
  readonly local: Stage
  readonly remote: Stage
  /** The remote API by an API key of an owner. */
  readonly api: RemoteApi
  /** The same by another key or token. */
  by(apiKey: string): RemoteApi
}

export async function openStages(): Promise<Stages> {
  const world = await restWorld()
  const { api: local, api: inProcess } = world.server.carcosa
  const { token } = await local.keys.create({ name: 'remote', role: 'owner' })
  const url = `http://127.0.0.1:${world.server.port}`
  const by = (apiKey: string) => createRemoteApi({ url, apiKey, retries: 0 })
  const api = by(token)
  const stage = (one: SharedApi, as: Stage['as']): Stage => ({
    ...{ api: one, world, as },
    file: () => world.file(),
    upload: () => world.upload(),
    async organization() {
      const { id: ownerId } = await person(world)
      const { id: userId } = await person(world)
      const { id } = await inProcess.organizations.create({ name: 'Scene', ownerId })
      await inProcess.members.add({ organizationId: id, userId })
      return { id, ownerId, userId }
    },
  })
  return {
    ...{ world, api, by },
    local: stage(local, () => local),
    remote: stage(api, by),
  }
}

/** A word of its own. */
export const word = () => newId().toLowerCase()
