/** Every operation of the OpenAPI document is driven, and its answers are as the document says. */
import { validate } from '@scalar/openapi-parser'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newId } from '../../../src/shared/ids.ts'
import type { Answered } from '../../support/exchange.ts'
import {
  createJudge,
  type DescribedOperation,
  describedOperations,
  fetchDocument,
} from '../../support/rest/document.ts'
import type { SceneRequest } from '../../support/rest/scene.ts'
import { scenes } from '../../support/rest/scenes.ts'
import { otherProject, type RestWorld, restWorld } from '../../support/rest/world.ts'

const test = suite('the operations of the REST API')
const world: RestWorld = await restWorld()
const document = await fetchDocument(world)
const operations = describedOperations(document)
const judge = createJudge(document)
test.after(() => world.server.close())

function ask(
  { method, path }: DescribedOperation,
  { params = {}, query = {}, body, headers }: SceneRequest,
): Promise<Answered> {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => params[name] ?? newId())
  const search = new URLSearchParams(query).toString()
  return world.ask({
    method,
    path: filled + (search && `?${search}`),
    ...(headers && { headers }),
    ...(body !== undefined && { body }),
  })
}

function scene({ id }: DescribedOperation): Promise<SceneRequest> {
  const found = scenes[id]
  if (!found) throw new TypeError(`test/support/rest/scenes.ts has no scene of ${id}`)
  return found(world)
}

/** An answer is one that the document knows, and looks as it says. */
function requireDescribed({ id, answers }: DescribedOperation, answered: Answered) {
  const { status, headers, text } = answered
  assert.ok(String(status) in answers, `${id}: ${status} is not in the document: ${text}`)
  const described = answers[String(status)]
  if (!described) return assert.is(text, '', `${id}: ${status} has a body`)
  assert.is(headers['content-type'], described.type, id)
  assert.is(judge(described.schema, answered.json()), null, `${id} ${status}: ${text}`)
}

test('the document is OpenAPI 3.1, and valid', async () => {
  const { valid, errors } = await validate(structuredClone(document))
  assert.equal(errors ?? [], [])
  assert.ok(valid)
  assert.match(String(document.openapi), /^3\.1\./)
  const ids = operations.map(({ id }) => id)
  assert.is(new Set(ids).size, ids.length)
})

test('every scene is of an operation that there is', () => {
  const ids = operations.map(({ id }) => id)
  assert.equal(
    Object.keys(scenes).filter((id) => !ids.includes(id)),
    [],
  )
})

for (const operation of operations) {
  const name = `${operation.id} (${operation.method} ${operation.path})`

  test(`${name} does what the document says`, async () => {
    const answered = await ask(operation, await scene(operation))
    assert.ok(answered.status < 300, `${answered.status}: ${answered.text}`)
    requireDescribed(operation, answered)
    assert.is(answered.headers['cache-control'], 'no-store')
    assert.is(answered.headers['x-content-type-options'], 'nosniff')
  })

  test(`${name} is for nobody who is not known`, async () => {
    const answered = await ask(operation, { ...(await scene(operation)), headers: {} })
    assert.is(answered.status, 401)
    assert.is(answered.headers['www-authenticate'], 'Bearer realm="carcosa"')
    requireDescribed(operation, answered)
  })

  test(`${name} names all that is wrong with its request`, async () => {
    const request = await scene(operation)
    const query = { nonsense: '1', ...request.query }
    const body = operation.hasBody ? ['nonsense'] : request.body
    const answered = await ask(operation, { ...request, query, body })
    assert.is(answered.status, 400)
    requireDescribed(operation, answered)
    const { problems } = answered.json().details as { problems: { in: string }[] }
    const places = problems.map((problem) => problem.in)
    assert.equal([...new Set(places)], operation.hasBody ? ['query', 'body'] : ['query'])
  })

  if (operation.permission === null) continue

  test(`${name} needs its permission`, async () => {
    const other = operation.permission === 'usage.read' ? 'audit.read' : 'usage.read'
    const headers = await world.as({ scopes: { actions: [other] } })
    const answered = await ask(operation, { ...(await scene(operation)), headers })
    assert.is(answered.status, 403, answered.text)
    assert.is(answered.json().code, 'FORBIDDEN')
    requireDescribed(operation, answered)
  })

  if (!operation.path.includes('{id}')) continue

  test(`${name} of another project is as if it were not there`, async () => {
    const request = await scene(operation)
    const key = await world.as({ projectId: otherProject })
    const headers = { ...key, 'X-Request-Id': 'same' }
    const foreign = await ask(operation, { ...request, headers })
    const { params: _, ...nowhere } = request
    const unknown = await ask(operation, { ...nowhere, headers })
    assert.is(foreign.status, 404, foreign.text)
    requireDescribed(operation, foreign)
    assert.is(foreign.text, unknown.text)
  })
}

test.run()
