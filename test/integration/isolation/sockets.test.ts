/** `/ws` tells to whom `GET /events` tells: by the same rows of paths-table.ts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newId } from '../../../src/shared/ids.ts'
import { type EventSocket, openSocket, type Said } from '../../support/event-socket.ts'
import { until } from '../../support/event-stream.ts'
import { type Caller, callers, refused } from '../../support/isolation/callers.ts'
import { pathsTable } from '../../support/isolation/paths-table.ts'
import { rowsOf } from '../../support/isolation/rows.ts'
import {
  firstOf,
  type IsolationWorld,
  isolationWorld,
  type Place,
} from '../../support/isolation/world.ts'

const test = suite('isolation of WebSockets')
let world: IsolationWorld
test.before(async () => {
  world = await isolationWorld()
})
test.after(() => world.server.close())

type Topic = Record<string, string>

/** What is subscribed to, by the row of the table that says who may. */
const topics: Record<string, (place: Place | null) => Promise<Topic>> = {
  'events file': async (place) => ({ file: place ? await world.file(place) : newId() }),
  async 'events batch'(place) {
    const batch = newId()
    const { prisma } = world.server.uploads.db
    if (place) {
      const where = { id: await world.file(place) }
      await prisma.file.update({ where, data: { batchId: batch } })
    }
    return { batch }
  },
  'events project': async (place) => ({ project: place?.projectId ?? `prj_${newId()}` }),
  'events route': async (place) => ({
    route: place?.organizationId === world.a.id ? 'mine' : 'nowhere',
  }),
}

function placeAt(target: string, caller: Caller): Place | null {
  if (target === 'own') return caller.place
  const { a, c } = world
  const tenant = target === 'foreign' ? c : a
  const [, next = ''] = a.projects
  const projectId = target === 'next' ? next : firstOf(tenant)
  const { id: organizationId, ownerId } = tenant
  return target === 'unknown'
    ? null
    : { organizationId, projectId, ownerId, route: 'mine' }
}

/** The answer to a subscription. */
async function subscribed(socket: EventSocket, topic: Topic): Promise<Said> {
  const before = socket.said.length
  socket.send({ type: 'subscribe', topic })
  const answers = () =>
    socket.said.slice(before).filter(({ type }) => ['subscribed', 'error'].includes(type))
  await until(() => answers().length > 0, 'an answer to the subscription')
  return answers()[0] as Said
}

const { columns, rows } = rowsOf(pathsTable)

for (const { operation, targets, cells } of rows) {
  const topicAt = topics[operation]
  if (!topicAt) continue
  test(`${operation}: everybody is answered by the table`, async () => {
    for (const [i, name] of columns.entries()) {
      const caller = await callers[name]?.(world)
      assert.ok(caller, name)
      const socket = await openSocket(world.server.port, '/ws', caller.headers)
      let found = ''
      for (const target of targets) {
        const asked = target === 'absent' ? ['foreign', 'unknown'] : [target]
        const answers: Said[] = []
        for (const one of asked)
          answers.push(await subscribed(socket, await topicAt(placeAt(one, caller))))
        const told = answers.map(({ type, error }) => {
          const { code, detail } = (error ?? {}) as { code?: string; detail?: string }
          return { type, code, detail }
        })
        const [first, second] = told
        if (first?.type === 'subscribed') found += '+'
        else found += first?.code === 'TOPIC_NOT_FOUND' ? '-' : ` ${first?.code} `
        if (second) assert.equal(second, first, `${name}: foreign and unknown`)
      }
      socket.close()
      assert.is(found, cells[i], name)
    }
  })
}

test('each kind of topic has its row', () => {
  const named = rows.map(({ operation }) => operation)
  assert.equal(
    Object.keys(topics),
    named.filter((name) => name.startsWith('events ') && name !== 'events of two'),
  )
})

test('a credential that is worth nothing does not connect', async () => {
  for (const [name, make] of Object.entries(refused)) {
    const { headers } = await make(world)
    const error = await openSocket(world.server.port, '/ws', headers).then(
      () => 'connected',
      ({ message }) => message,
    )
    assert.is(error, '401', name)
  }
})

test.run()
