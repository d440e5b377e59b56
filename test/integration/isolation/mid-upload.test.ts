/** Whoever may no more is refused with the next request, and their streams end: row SEC-6. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { transferProject } from '../../../src/projects/change-project.ts'
import { openSocket } from '../../support/event-socket.ts'
import { openStream, until } from '../../support/event-stream.ts'
import type { Asked } from '../../support/exchange.ts'
import { type IsolationWorld, isolationWorld } from '../../support/isolation/world.ts'
import { offsetStream } from '../../support/records.ts'

const test = suite('who may no more, in the middle of an upload')
let world: IsolationWorld
test.before(async () => {
  world = await isolationWorld()
})
test.after(() => world.server.close())

/** Somebody in the middle of uploads, with a ticket for each and without. */
interface Uploading {
  userId: string
  projectId: string
  session: Record<string, string>
  ticket: Record<string, string>
  /** Below `/uploads/mine`. */
  id: string
  /** Not used yet. */
  spare: Record<string, string>
}

async function uploading(role = 'member'): Promise<Uploading> {
  const { api } = world.server.carcosa
  const project = await api.projects.create({ name: 'Own', organizationId: world.a.id })
  const userId = await world.member(world.a, role)
  const session = await world.signIn(userId, project.id)
  const ticket = await ticketOf(session)
  const spare = await ticketOf(session)
  const made = await ask({
    ...{ method: 'POST', path: '/uploads/mine', body: 'he' },
    headers: { 'Upload-Length': '5', 'Content-Type': offsetStream, ...ticket },
  })
  assert.is(made.status, 201, made.text)
  const id = made.headers.location?.split('/').pop() ?? ''
  return { userId, projectId: project.id, session, ticket, id, spare }
}

async function ticketOf(headers: Record<string, string>) {
  const prepared = await ask({
    ...{ method: 'POST', path: '/uploads/mine/prepare' },
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ files: [{ name: 'a', size: 5, type: '' }] }),
  })
  const [file] = (prepared.json() as { files: { ticket?: string }[] }).files
  assert.ok(file?.ticket, prepared.text)
  return { 'Upload-Ticket': file.ticket }
}

const ask = (asked: Asked) => world.server.doors.http(asked)

async function statuses(id: string, headers: Record<string, string>): Promise<number[]> {
  const path = `/uploads/mine/${id}`
  const sent = { 'Upload-Offset': '2', 'Content-Type': offsetStream, ...headers }
  const all: Asked[] = [
    { method: 'HEAD', path, headers },
    { method: 'PATCH', path, headers: sent, body: 'llo' },
    { method: 'DELETE', path, headers },
    { method: 'GET', path, headers },
    { method: 'HEAD', path: `/events?file=${id}`, headers },
  ]
  const found: number[] = []
  for (const one of all) found.push((await ask(one)).status)
  return found
}

interface End {
  title: string
  does(uploading: Uploading): Promise<unknown>
  /** Of HEAD, PATCH, DELETE, GET and events, by the session. */
  bySession: number[]
  byTicket: number[]
  /** Of what a ticket that was not used yet would begin. */
  spare: number
}

const shut = [401, 401, 401, 401, 401]
const nowhere = [404, 404, 404, 404, 404]

const ends: End[] = [
  {
    title: 'a member who was made a viewer',
    does: ({ userId }) =>
      world.server.carcosa.api.members.setRole(world.a.id, userId, 'viewer'),
    bySession: [403, 403, 403, 200, 200],
    ...{ byTicket: shut, spare: 401 },
  },
  {
    title: 'a member who was made one who only pays',
    does: ({ userId }) =>
      world.server.carcosa.api.members.setRole(world.a.id, userId, 'billing'),
    bySession: nowhere,
    ...{ byTicket: shut, spare: 401 },
  },
  {
    title: 'a member who was removed',
    does: ({ userId }) => world.server.carcosa.api.members.remove(world.a.id, userId),
    bySession: nowhere,
    ...{ byTicket: shut, spare: 401 },
  },
  {
    title: 'a user who was disabled',
    does: ({ userId }) => world.server.carcosa.api.users.disable(userId),
    bySession: shut,
    ...{ byTicket: shut, spare: 401 },
  },
  {
    title: 'somebody whose project went to another organization',
    does: ({ projectId }) =>
      transferProject(world.server.uploads, {
        ...{ projectId, from: world.a.id, to: world.b.id },
      }),
    bySession: nowhere,
    ...{ byTicket: shut, spare: 401 },
  },
  {
    title: 'somebody whose project was deleted',
    does: ({ projectId }) => world.server.carcosa.api.projects.delete(projectId),
    bySession: nowhere,
    // Whose it was is told so.
    ...{ byTicket: [410, 410, 410, 410, 410], spare: 410 },
  },
]

for (const { title, does, bySession, byTicket, spare } of ends) {
  test(`SEC-6: ${title} is refused with the next request`, async () => {
    const somebody = await uploading()
    const { id, session, ticket } = somebody
    const beginning = {
      ...{ method: 'POST', path: '/uploads/mine' },
      headers: { 'Upload-Length': '5', ...somebody.spare },
    }
    assert.is(
      (await ask({ method: 'HEAD', path: `/uploads/mine/${id}`, headers: session }))
        .status,
      200,
    )
    assert.is(
      (await ask({ method: 'HEAD', path: `/uploads/mine/${id}`, headers: ticket }))
        .status,
      200,
    )
    await does(somebody)
    assert.equal(await statuses(id, session), bySession, 'by session')
    assert.equal(await statuses(id, ticket), byTicket, 'by ticket')
    assert.is((await ask(beginning)).status, spare, 'a ticket that is left')
    assert.is((await world.server.row(id)).offset, 2)
  })
}

test('SEC-6: a ticket outlives the session it was given to', async () => {
  const { userId, id, session, ticket } = await uploading()
  await world.server.carcosa.api.users.revokeSessions(userId)
  assert.equal(await statuses(id, session), shut)
  assert.equal(await statuses(id, ticket), [200, 204, 204, 200, 200])
})

test('SEC-6: a ticket works on under another role that may upload', async () => {
  const { userId, id, ticket } = await uploading()
  await world.server.carcosa.api.members.setRole(world.a.id, userId, 'developer')
  const path = `/uploads/mine/${id}`
  assert.is((await ask({ method: 'HEAD', path, headers: ticket })).status, 200)
})

const streams: [title: string, by: 'session' | 'ticket', does: End['does']][] = [
  [
    'a session was ended',
    'session',
    ({ userId }) => world.server.carcosa.api.users.revokeSessions(userId),
  ],
  ...ends.flatMap(({ title, does }): [string, 'session' | 'ticket', End['does']][] => [
    [title, 'session', does],
    [title, 'ticket', does],
  ]),
]

test('SEC-6: what they watch ends within seconds', async () => {
  await Promise.all(
    streams.map(async ([title, by, does]) => {
      const somebody = await uploading()
      const { port } = world.server
      const headers = somebody[by]
      const sse = await openStream(port, `/events?file=${somebody.id}`, headers)
      const ws = await openSocket(port, '/ws', somebody.session)
      ws.send({ type: 'subscribe', topic: { file: somebody.id } })
      await ws.next('subscribed')
      assert.is(sse.status, 200)
      try {
        await does(somebody)
        await until(() => sse.ended, `the stream of ${title}, by ${by}`)
        await until(() => ws.closed !== null, `the socket of ${title}`)
      } finally {
        sse.close()
        ws.close()
      }
    }),
  )
})

test('who is still the same watches on', async () => {
  const somebody = await uploading()
  const sse = await openStream(
    world.server.port,
    `/events?file=${somebody.id}`,
    somebody.session,
  )
  const { projects } = world.server.carcosa.api
  await projects.update(somebody.projectId, { name: 'New' })
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  assert.not(sse.ended)
  sse.close()
})

test.run()
