/** How long an answer takes does not tell whether something is foreign or unknown: promise P6. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newId } from '../../../src/shared/ids.ts'
import type { Asked } from '../../support/exchange.ts'
import { callers } from '../../support/isolation/callers.ts'
import { pathRequests } from '../../support/isolation/paths.ts'
import { targets } from '../../support/isolation/targets.ts'
import { compare } from '../../support/isolation/timing.ts'
import {
  firstOf,
  type IsolationWorld,
  isolationWorld,
  type Place,
} from '../../support/isolation/world.ts'

const test = suite('how long a refusal takes')
let world: IsolationWorld
let foreign: Place
test.before(async () => {
  world = await isolationWorld()
  const { id: organizationId, ownerId } = world.c
  foreign = { organizationId, projectId: firstOf(world.c), ownerId, route: 'mine' }
})
test.after(() => world.server.close())

/** One for each way in which something is found. */
const operations: [id: string, path: string][] = [
  ['getFile', '/files/{id}'],
  ['getFileByCustomId', '/files/by-custom-id/{id}'],
  ['getApiKey', '/api-keys/{id}'],
  ['getProject', '/projects/{id}'],
  ['getOrganization', '/organizations/{id}'],
  ['getTeam', '/organizations/{id}/teams/{teamId}'],
  ['getMember', '/organizations/{id}/members/{userId}'],
  ['listMembers', '/organizations/{id}/members'],
  ['listEvents', '/events'],
]
const paths = [
  'HEAD',
  'PATCH',
  'DELETE',
  'status',
  'GET file',
  'events file',
  'events batch',
]

async function restRequest(
  id: string,
  path: string,
  place: Place | null,
): Promise<Asked> {
  const { params = {}, query = {} } = (await targets[id]?.(world, { place })) ?? {}
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(params[name] ?? newId()),
  )
  const search = new URLSearchParams(query).toString()
  return { method: 'GET', path: `/api/v1${filled}${search && `?${search}`}` }
}

const rows: [name: string, make: (place: Place | null) => Promise<Asked>][] = [
  ...operations.map(([id, path]): (typeof rows)[number] => [
    id,
    (place) => restRequest(id, path, place),
  ]),
  ...paths.map((name): (typeof rows)[number] => [
    name,
    async (place) => {
      const asked = await pathRequests[name]?.(world, { place })
      if (!asked) throw new TypeError(`there is no row "${name}"`)
      return asked
    },
  ]),
]

for (const [name, make] of rows) {
  test(`${name}: foreign takes as long as unknown`, async () => {
    const caller = await callers.strng?.(world)
    const asking = async (place: Place | null) => {
      const asked = await make(place)
      const headers = { ...asked.headers, ...caller?.headers }
      return () => world.server.doors.fetch({ ...asked, headers })
    }
    const things = [await asking(foreign), await asking(null)] as const
    for (const thing of things) assert.is((await thing()).status, 404)
    await compare(things, 20)
    const found: string[] = []
    // Who is disturbed once may be right the next time; a query too many is there every time.
    for (let i = 0; i < 4; i++) {
      const { share, medians } = await compare(things, 80)
      found.push(`${share.toFixed(2)} ${medians.map((ms) => ms.toFixed(2)).join('/')}`)
      const [low = 0, high = 0] = [...medians].sort((a, b) => a - b)
      // To read a row that is there takes some µs more; a query is more than a fifth of it all.
      if (Math.abs(share - 0.5) < 0.13 || high - low < low / 5) return
    }
    assert.unreachable(`they are told apart: ${found.join(', ')}`)
  })
}

test.run()
