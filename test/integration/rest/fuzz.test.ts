/** Whatever is sent to an operation: never a 500, never a stack, always a code of the document. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arbitraryOf } from '../../support/rest/arbitrary.ts'
import {
  createJudge,
  type DescribedOperation,
  describedOperations,
  fetchDocument,
} from '../../support/rest/document.ts'
import { nasty, nastyCredential, nastyHeaders, seed } from '../../support/rest/nasty.ts'
import { scenes } from '../../support/rest/scenes.ts'
import { type RestWorld, restWorld } from '../../support/rest/world.ts'

const test = suite('bad input to the REST API')
const world: RestWorld = await restWorld({ rateLimits: false })
const document = await fetchDocument(world)
const judge = createJudge(document)
test.after(() => world.server.close())

console.log(`seed ${seed}; CARCOSA_TEST_SEED takes another`)
const owner = await world.as()
const viewer = await world.as({ role: 'viewer' })

/** Text that a URL can carry: half a character is sent as what it becomes. */
const encoded = (text: string) => encodeURIComponent(text.toWellFormed())
/** Without one, or with dots alone, it would be the URL of something else. */
const segment = (text = '') => (/^\.*$/.test(text) ? 'x' : encoded(text))

function requests(operation: DescribedOperation) {
  const { parameters, body, method } = operation
  // Names may come more than once.
  const query = fc.array(
    fc.tuple(
      fc.oneof(fc.constantFrom('nonsense', ...names(parameters, 'query')), nasty),
      nasty,
    ),
    { maxLength: 4 },
  )
  const params = fc.record(
    Object.fromEntries(names(parameters, 'path').map((name) => [name, nasty])),
  )
  const key = fc.option(fc.string({ unit: 'grapheme-ascii', maxLength: 20 }), {
    nil: undefined,
  })
  const json = body
    ? fc.oneof(arbitraryOf(body, document), fc.jsonValue())
    : // A Request cannot have one with GET.
      fc.option(method === 'GET' ? fc.constant(undefined) : fc.jsonValue(), {
        nil: undefined,
      })
  const headers = nastyHeaders(['If-Match', 'If-None-Match', 'Idempotency-Key'])
  const who = fc.oneof(
    { weight: 6, arbitrary: fc.constant(null) },
    { weight: 2, arbitrary: fc.constant(viewer.Authorization) },
    { weight: 1, arbitrary: nastyCredential },
  )
  const project = fc.option(nastyHeaders(['Carcosa-Project', 'Cookie', 'Accept']), {
    freq: 4,
  })
  return fc.record({ query, params, key, body: json, headers, who, project })
}

function names(parameters: DescribedOperation['parameters'], place: string): string[] {
  return parameters.filter((one) => one.in === place).map(({ name }) => name)
}

for (const operation of describedOperations(document)) {
  const { id, method, path, answers } = operation

  test(`${id}: whatever is sent is answered as the document says`, async () => {
    const scene = await scenes[id]?.(world)
    // Who may: else it would end at the door.
    const allowed = scene?.headers ?? owner
    const property = fc.asyncProperty(requests(operation), async (request) => {
      const params = { ...request.params, ...(request.key ? {} : scene?.params) }
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => segment(params[name]))
      const search = request.query
        .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
        .join('&')
      const answered = await world.ask({
        method,
        path: `${filled}?${search}`,
        headers: {
          ...request.project,
          ...request.headers,
          ...(request.who === null ? allowed : { Authorization: request.who }),
        },
        ...(request.body !== undefined && { body: request.body }),
      })
      const { status, text } = answered
      assert.ok(status < 500, `${status}: ${text}`)
      assert.not.match(text, /node_modules|\.ts:\d|prisma|SELECT /i)
      // A nasty id may make it another path, or none.
      if (status === 404 || status === 405) return
      assert.ok(String(status) in answers, `${status} is not in the document: ${text}`)
      const described = answers[String(status)]
      if (described) assert.is(judge(described.schema, answered.json()), null, text)
    })
    await fc.assert(property, { numRuns: 18, seed })
  })
}

test.run()
