/** Who is answered what by each operation of the REST API: test/support/isolation/table.ts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { operations } from '../../../src/http/resources/list.ts'
import type { Operation } from '../../../src/http/rest/operation.ts'
import { newId } from '../../../src/shared/ids.ts'
import type { Asked } from '../../support/exchange.ts'
import { type MakeRequest, matrix } from '../../support/isolation/matrix.ts'
import { table } from '../../support/isolation/table.ts'
import { targets } from '../../support/isolation/targets.ts'
import {
  firstOf,
  type IsolationWorld,
  isolationWorld,
} from '../../support/isolation/world.ts'
import type { SceneRequest } from '../../support/rest/scene.ts'

const test = suite('isolation of the REST API')
let world: IsolationWorld
test.before(async () => {
  world = await isolationWorld()
})
test.after(() => world.server.close())

test('every operation has a target, and no other has', () => {
  const ids = operations.map(({ id }) => id)
  assert.equal(Object.keys(targets).sort(), ids.sort())
})

const requests = operations.map((operation): [string, MakeRequest] => {
  const target = targets[operation.id]
  return [
    operation.id,
    async (from, at) => requestOf(operation, (await target?.(from, at)) ?? {}),
  ]
})
const kept = matrix(test, {
  ...{ world: () => world, table, requests: Object.fromEntries(requests) },
})

function requestOf(
  { method, path }: Operation,
  { params = {}, query = {}, body }: SceneRequest,
): Asked {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(params[name] ?? newId()),
  )
  const search = new URLSearchParams(query).toString()
  const json = body !== undefined && { 'Content-Type': 'application/json' }
  return {
    method: method.toUpperCase(),
    path: `/api/v1${filled}${search && `?${search}`}`,
    headers: { 'Tus-Resumable': null, ...json },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }
}

test('what was refused is still as it was', async () => {
  const { api } = world.server.carcosa
  const inFiles = [...kept].filter(([name]) =>
    /^(update|delete|sign)File (other|absent)$/.test(name),
  )
  assert.is(inFiles.length, 6)
  for (const [name] of inFiles) {
    const { state, tags } = await world.server.row(idIn(name))
    assert.equal([state, [...tags]], ['ready', []], name)
  }
  const upload = await world.server.row(idIn('cancelUpload absent'))
  assert.is(upload.state, 'receiving')
  for (const name of ['revokeApiKey absent', 'rotateApiKey absent']) {
    const key = await api.keys.get(idIn(name))
    assert.equal([key?.revokedAt, key?.rotatedAt], [null, null], name)
  }
  const project = await api.projects.get(idIn('deleteProject absent'))
  assert.equal([project?.deletedAt, project?.organizationId], [null, world.c.id])
  assert.is((await api.projects.get(firstOf(world.c)))?.name, 'C1')
  const { members } = await api.members.list({ organizationId: world.c.id })
  for (const name of ['updateMember absent', 'removeMember absent']) {
    const found = members.find(({ userId }) => userId === idIn(name))
    assert.is(found?.role, 'viewer', name)
  }
  const { invitations } = await api.invitations.list({ organizationId: world.c.id })
  for (const name of ['revokeInvitation absent', 'acceptInvitation absent']) {
    const found = invitations.find(({ id }) => id === idIn(name))
    assert.is(found?.status, 'pending', name)
  }
  assert.is((await api.organizations.get(world.c.id))?.name, 'C')
  assert.is((await api.teams.get(idIn('updateTeam absent')))?.name, 'Team')
})

/** The last id in the path of what was asked for. */
function idIn(name: string): string {
  const path = kept.get(name)?.path ?? ''
  const [, id = ''] = /\/(\w+_[\w-]{24}|[\w-]{24})(?:\/(?!\w+_)[a-z]+)?$/.exec(path) ?? []
  return id
}

test.run()
