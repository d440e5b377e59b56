/** Whatever is sent to `/auth`, uploads, files and events: never a 500, never a stack, always a code. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { operations } from '../../../src/http/accounts/operations.ts'
import { callers } from '../../support/isolation/callers.ts'
import { type IsolationWorld, isolationWorld } from '../../support/isolation/world.ts'
import { nasty, nastyCredential, nastyHeaders, seed } from '../../support/rest/nasty.ts'

const test = suite('bad input beside the REST API')
let world: IsolationWorld
test.before(async () => {
  world = await isolationWorld()
})
test.after(() => world.server.close())
console.log(`seed ${seed}; CARCOSA_TEST_SEED takes another`)

const text = fc.oneof(nasty, fc.constantFrom('ann@example.com', 'a'.repeat(300)))
const fields = ['email', 'password', 'name', 'token', 'newPassword', 'currentPassword']
const members = Object.fromEntries(
  [...fields, 'organizationId'].map((name) => [name, fc.oneof(text, fc.jsonValue())]),
)
const file = fc.record(
  { name: text, size: fc.oneof(fc.nat(), fc.double(), text), type: text },
  { requiredKeys: [] },
)
const authBody = fc.oneof(fc.record(members, { requiredKeys: [] }), fc.jsonValue())
const batch = fc.oneof(
  fc.record(
    {
      files: fc.array(fc.oneof(file, fc.jsonValue()), { maxLength: 3 }),
      input: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
)
const receipts = fc.oneof(
  fc.record({ receipts: fc.array(fc.jsonValue()) }),
  fc.jsonValue(),
)
const tus = nastyHeaders([
  ...[
    'Upload-Length',
    'Upload-Offset',
    'Upload-Metadata',
    'Upload-Ticket',
    'Upload-Concat',
  ],
  ...['Upload-Defer-Length', 'Upload-Checksum', 'X-HTTP-Method-Override', 'Content-Type'],
  ...['Range', 'If-Range', 'If-None-Match', 'Last-Event-ID', 'Carcosa-Project', 'Cookie'],
])

const segment = nasty.map((one) =>
  /^\.*$/.test(one) ? 'x' : encodeURIComponent(one.toWellFormed()),
)
const json = { 'Content-Type': 'application/json' }
type Path = fc.Arbitrary<string>
const at = (path: string, tail = ''): Path => segment.map((id) => `${path}/${id}${tail}`)

const auth = Object.entries(operations).flatMap(([path, methods]) =>
  Object.keys(methods).map((method): [string, Path, fc.Arbitrary<unknown>] => [
    method,
    path.includes(':id')
      ? segment.map((id) => `/auth/${path.replace(':id', id)}`)
      : fc.constant(`/auth/${path}`),
    authBody,
  ]),
)

const rows: [method: string, path: Path, body: fc.Arbitrary<unknown> | null][] = [
  ...auth,
  ['POST', fc.constant('/uploads/mine/prepare'), batch],
  ['POST', at('/uploads'), null],
  ['POST', fc.constant('/uploads/mine'), null],
  ['POST', at('/uploads/mine', '/finish'), receipts],
  ...['HEAD', 'PATCH', 'DELETE', 'GET'].map((method): (typeof rows)[number] => [
    method,
    at('/uploads/mine'),
    null,
  ]),
  ['GET', at('/files'), null],
  ['HEAD', at('/files'), null],
  ...['file', 'batch', 'route', 'project', 'ticket'].map(
    (name): (typeof rows)[number] => [
      'HEAD',
      segment.map((id) => `/events?${name}=${id}`),
      null,
    ],
  ),
]

for (const [i, [method, path, body]] of rows.entries()) {
  test(`${method} ${fc.sample(path, { numRuns: 1, seed })[0]?.slice(0, 60)} (${i}): whatever is sent is refused with a code`, async () => {
    // Anew for each: some of the requests sign them out.
    const caller = await callers.membr?.(world)
    const known = caller?.headers.Authorization ?? ''
    const property = fc.asyncProperty(
      path,
      body ?? fc.constant(undefined),
      tus,
      fc.oneof(
        { weight: 3, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: nastyCredential },
      ),
      async (where, sent, headers, who) => {
        const hasBody = body !== null && method !== 'GET' && sent !== undefined
        const answered = await world.server.doors.fetch({
          ...{ method, path: where },
          headers: {
            ...headers,
            ...(hasBody && json),
            Authorization: who === true ? known : who,
          },
          ...(hasBody && { body: JSON.stringify(sent) }),
        })
        const said = `${answered.status} ${answered.text}`
        assert.ok(answered.status < 500, said)
        assert.not.match(answered.text, /node_modules|\.ts:\d|prisma|SELECT /i)
        if (answered.status < 400 || answered.text === '') return
        assert.match(String(answered.json().code), /^[A-Z_]+$/, said)
      },
    )
    await fc.assert(property, { numRuns: 20, seed })
  })
}

test.run()
