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
import { scenes } from '../../support/rest/scenes.ts'
import { type RestWorld, restWorld } from '../../support/rest/world.ts'

const test = suite('bad input to the REST API')
const world: RestWorld = await restWorld({ rateLimits: false })
const document = await fetchDocument(world)
const judge = createJudge(document)
test.after(() => world.server.close())

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    '\0',
    '%',
    "' OR 1=1 --",
    '../../x',
    '{}',
    '-1',
    '1e400',
    '𝕏',
    '__proto__',
  ),
)

/** Text that a URL can carry: half a character is sent as what it becomes. */
const encoded = (text: string) => encodeURIComponent(text.toWellFormed())
/** Without one, or with dots alone, it would be the URL of something else. */
const segment = (text = '') => (/^\.*$/.test(text) ? 'x' : encoded(text))

function requests(operation: DescribedOperation) {
  const { parameters, body, method } = operation
  const query = fc.dictionary(
    fc.oneof(fc.constantFrom('nonsense', ...names(parameters, 'query')), nasty),
    nasty,
    { maxKeys: 4 },
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
  return fc.record({ query, params, key, body: json })
}

function names(parameters: DescribedOperation['parameters'], place: string): string[] {
  return parameters.filter((one) => one.in === place).map(({ name }) => name)
}

for (const operation of describedOperations(document)) {
  const { id, method, path, answers } = operation

  test(`${id}: whatever is sent is answered as the document says`, async () => {
    const scene = await scenes[id]?.(world)
    const property = fc.asyncProperty(requests(operation), async (request) => {
      const params = { ...request.params, ...(request.key ? {} : scene?.params) }
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => segment(params[name]))
      const search = Object.entries(request.query)
        .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
        .join('&')
      const answered = await world.ask({
        method,
        path: `${filled}?${search}`,
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
    await fc.assert(property, { numRuns: 25 })
  })
}

test.run()
