/** `carcosa.api.files.list`: by what files are found, and what that costs when there are many. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { listSql } from '../../src/files/list-sql.ts'
import { readableStates } from '../../src/files/record.ts'
import { createRouter, type ListOptions, route } from '../../src/index.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { listings, writeManyFiles } from '../support/many-files.ts'
import { png } from '../support/samples.ts'
import { startServer, type TestServer } from '../support/server.ts'

const router = createRouter({
  any: route({ blob: { maxFileSize: '1KB' } }).public(),
  other: route({ blob: { maxFileSize: '1KB' } }).public(),
})

const found = suite('lists of files')
let server: TestServer
found.before(async () => {
  server = await startServer({ router })
})
found.after(() => server.close())

const files = () => server.carcosa.api.files

async function names(options: ListOptions): Promise<(string | null)[]> {
  const all: (string | null)[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await files().list({ limit: 2, ...options, ...(cursor && { cursor }) })
    all.push(...page.files.map(({ filename }) => filename))
    if (page.nextCursor === null) return all
    cursor = page.nextCursor
  }
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}

found('type, kind, tag, name and custom id find the files that have them', async () => {
  const put = (filename: string, options: { tags?: string[]; customId?: string } = {}) =>
    files().upload(filename.endsWith('png') ? png : `of ${filename}`, {
      route: 'any',
      filename,
      ownerId: 'kinds',
      ...options,
    })
  await put('a.png', { tags: ['red', 'green'] })
  await put('b.txt', { tags: ['green'], customId: 'the b' })
  await put('c.png')
  await put('B%_2.csv', { tags: ['Green'] })
  const of = (options: ListOptions) => names({ ownerId: 'kinds', ...options })
  assert.equal(await of({ type: 'image/png' }), ['c.png', 'a.png'])
  assert.equal(await of({ type: 'IMAGE/*' }), ['c.png', 'a.png'])
  assert.equal(await of({ type: 'text/*' }), ['B%_2.csv', 'b.txt'])
  assert.equal(await of({ type: 'text/csv' }), ['B%_2.csv'])
  assert.equal(await of({ type: 'imag/*' }), [])
  assert.equal(await of({ tag: 'green' }), ['b.txt', 'a.png'])
  assert.equal(await of({ tag: 'green', type: 'image/*' }), ['a.png'])
  assert.equal(await of({ tag: 'gree' }), [])
  assert.equal(await of({ customId: 'the b' }), ['b.txt'])
  assert.equal(await of({ customId: 'the' }), [])
  assert.equal(await of({ prefix: 'b' }), ['b.txt'])
  assert.equal(await of({ prefix: 'B%' }), ['B%_2.csv'])
  assert.equal(await of({ prefix: '%' }), [])
  assert.equal(await of({ prefix: 'a', tag: 'red' }), ['a.png'])
})

found('with a prefix files come in the order of their names, page by page', async () => {
  const given = ['é2', 'e1', 'eé', 'e', 'e\u{10ffff}x', 'f', 'e2', 'E', 'e2']
  for (const filename of given) {
    await files().upload('x', { route: 'other', filename, ownerId: 'order' })
  }
  const expected = ['e', 'e1', 'e2', 'e2', 'eé', 'e\u{10ffff}x']
  assert.equal(await names({ route: 'other', prefix: 'e' }), expected)
  assert.equal(await names({ route: 'other', prefix: 'e\u{10ffff}' }), ['e\u{10ffff}x'])
})

found('a name of thousands of characters is kept and found', async () => {
  const filename = `${'🦆'.repeat(1000)}${'x'.repeat(2000)}`
  const { id } = await files().upload('x', { route: 'any', filename })
  await files().upload('x', { route: 'any', filename })
  assert.is((await files().get(id))?.filename, filename)
  assert.is((await names({ prefix: '🦆'.repeat(100), limit: 1 })).length, 2)
})

found('files of another project are in its lists only', async () => {
  await server.uploads.db.executeSql(
    `INSERT INTO carcosa.project (id, name) VALUES ('elsewhere', 'x')`,
  )
  const { id } = await files().upload('x', {
    route: 'any',
    filename: 'there',
    projectId: 'elsewhere',
    tags: ['theirs'],
  })
  const { files: there } = await files().list({ projectId: 'elsewhere' })
  assert.equal(
    there.map((file) => file.id),
    [id],
  )
  for (const options of [{ tag: 'theirs' }, { prefix: 'there' }, {}]) {
    assert.not.ok((await names(options)).includes('there'), JSON.stringify(options))
  }
})

const wrong: [options: Record<string, unknown>, code: string][] = [
  ...[
    'image',
    'image/',
    '/png',
    '*/*',
    'a/b/*',
    'image/*x',
    '',
    `x/${'y'.repeat(200)}`,
  ].map((type): [Record<string, unknown>, string] => [{ type }, 'BAD_REQUEST']),
  ...['', 'x'.repeat(201), 5, null].map((prefix): [Record<string, unknown>, string] => [
    { prefix },
    'BAD_REQUEST',
  ]),
  [{ tag: 5 }, 'BAD_REQUEST'],
  [{ customId: {} }, 'BAD_REQUEST'],
  [{ route: ['a'] }, 'BAD_REQUEST'],
  [{ ownerId: 1 }, 'BAD_REQUEST'],
  [{ states: ["ready') OR true --"] }, 'BAD_REQUEST'],
  [{ states: 'ready' }, 'BAD_REQUEST'],
]
for (const [options, code] of wrong) {
  found(`a list with ${JSON.stringify(options).slice(0, 60)} is refused`, async () => {
    // What a program without types can pass.
    assert.is(await refusal(files().list(options as ListOptions)), code)
  })
}

found('a cursor of a list by time does not go on in a list by name', async () => {
  await files().upload('x', { route: 'any', filename: 'a', ownerId: 'cursors' })
  await files().upload('x', { route: 'any', filename: 'a', ownerId: 'cursors' })
  const byTime = await files().list({ ownerId: 'cursors', limit: 1 })
  const byName = await files().list({ ownerId: 'cursors', prefix: 'a', limit: 1 })
  const asked: [ListOptions, string | null][] = [
    [{ prefix: 'a' }, byTime.nextCursor],
    [{}, byName.nextCursor],
  ]
  for (const [options, cursor] of asked) {
    const list = files().list({ ownerId: 'cursors', ...options, cursor: cursor ?? '' })
    assert.is(await refusal(list), 'CURSOR_INVALID')
  }
})

for (const text of ["'", '%', '_', '\\', '\0', '\uD800', "'; DROP TABLE x --", '{a,b}']) {
  found(`${JSON.stringify(text)} is text like any other in a filter`, async () => {
    for (const name of ['route', 'ownerId', 'tag', 'prefix', 'customId', 'projectId']) {
      assert.equal((await files().list({ [name]: text })).files, [])
    }
  })
}

found.run()

const many = suite('lists of many files')
many.before(async () => {
  server = await startServer({ router })
  await writeManyFiles(server.uploads.db, 20_000)
})
many.after(() => server.close())

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: Plan[]
}

/** How many rows of tables were looked at, and by which kinds of scans. */
function readsOf(plan: Plan): { rows: number; scans: string[] } {
  const within = (plan.Plans ?? []).map(readsOf)
  const own = plan['Relation Name'] === undefined ? 0 : readBy(plan)
  return {
    rows: within.reduce((sum, { rows }) => sum + rows, own),
    scans: [
      ...(plan['Relation Name'] === undefined ? [] : [plan['Node Type']]),
      ...within.flatMap(({ scans }) => scans),
    ],
  }
}

function readBy(plan: Plan): number {
  const passedOver =
    (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0)
  return (plan['Actual Rows'] + passedOver) * plan['Actual Loops']
}

for (const [what, filters] of Object.entries(listings)) {
  many(`a page by ${what} reads an index, and few rows`, async () => {
    const options: ListOptions = { ...filters, limit: 50 }
    const first = await files().list(options)
    const states = options.states ?? readableStates
    const after = [null, first.files.at(-1) ?? null]
    for (const last of after) {
      const position = last && { ...last, name: last.filename ?? '' }
      const page = {
        projectId: 'default',
        ...options,
        states,
        after: position,
        limit: 51,
      }
      const { sql, values } = listSql(page)
      const explain = `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`
      const { rows } = await server.uploads.db.executeSql(explain, values)
      // What Postgres promises to answer.
      const [{ Plan: plan }] = (rows[0] ?? {})['QUERY PLAN'] as [{ Plan: Plan }]
      const reads = readsOf(plan)
      const told = `${JSON.stringify(reads)} ${JSON.stringify(plan)}`
      assert.ok(reads.scans.length > 0, told)
      assert.ok(!reads.scans.includes('Seq Scan'), told)
      assert.ok(reads.rows <= 250, told)
    }
  })
}

many('all pages of a filter together are all files that have it', async () => {
  const expected = { 'a rare tag': 60, 'a rare type': 60, 'a rare name': 60 }
  for (const [what, count] of Object.entries(expected)) {
    const filters = listings[what as keyof typeof expected]
    assert.is((await names({ ...filters, limit: 13 })).length, count, what)
  }
  assert.is((await names({ type: 'image/*', limit: 500 })).length, 5_040)
  assert.is((await names({ tag: 'common', limit: 500 })).length, 5_040)
})

many.run()
