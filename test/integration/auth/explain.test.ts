/** What a refusal tells: a code; in development, when asked to, the rule and what it was decided from. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { created } from '../../support/records.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('refusals that explain themselves')
const bob = { Authorization: 'Bearer bob' }

async function refusals(server: TestServer) {
  const ann = { Authorization: 'Bearer ann' }
  const { http } = server.doors
  const url = await created(http, {
    route: 'mine',
    length: 5,
    bytes: 'hello',
    headers: ann,
  })
  const id = url.split('/').pop()
  const asked = [
    { method: 'GET', path: url, headers: bob },
    { method: 'GET', path: `/files/${id}`, headers: bob },
    { method: 'GET', path: `/events?file=${id}`, headers: bob },
    { method: 'POST', path: '/uploads/mine', headers: { 'Upload-Length': '5' } },
    { method: 'GET', path: '/api/v1/api-keys', headers: bob },
    { method: 'GET', path: '/api/v1/audit', headers: bob },
  ]
  const answers = []
  for (const one of asked) answers.push((await http(one)).json())
  // What there is as JSON of a problem.
  return answers as { code: string; details?: { rule: string; inputs: unknown } }[]
}

test('by default a code and nothing else', async () => {
  const server = await startServer()
  try {
    const found = await refusals(server)
    assert.equal(
      found.map(({ code, details }) => [code, details]),
      [
        ['UPLOAD_NOT_FOUND', undefined],
        ['FILE_NOT_FOUND', undefined],
        ['TOPIC_NOT_FOUND', undefined],
        ['UNAUTHENTICATED', undefined],
        ['FORBIDDEN', undefined],
        ['FORBIDDEN', undefined],
      ],
    )
  } finally {
    await server.close()
  }
})

test('with explainDenials the rule, and what it was decided from', async () => {
  const server = await startServer({ explainDenials: true })
  try {
    const found = await refusals(server)
    assert.equal(
      found.map(({ code, details }) => [code, details?.rule]),
      [
        ['UPLOAD_NOT_FOUND', 'role-denies'],
        ['FILE_NOT_FOUND', 'role-denies'],
        ['TOPIC_NOT_FOUND', 'role-denies'],
        ['UNAUTHENTICATED', 'no-principal'],
        ['FORBIDDEN', 'role-denies'],
        ['FORBIDDEN', 'role-denies'],
      ],
    )
    assert.equal(found[1]?.details?.inputs, {
      action: 'files.read',
      principal: { id: 'bob', kind: 'user' },
      resource: { projectId: 'default', ownerId: 'ann', route: 'mine', acl: 'private' },
    })
  } finally {
    await server.close()
  }
})

test.run()
