/** The README says what is so: its code is that of the examples, its tables are those of the code. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as client from '../../client/index.ts'
import { builtInRoles } from '../../src/auth/roles.ts'
import { verbs } from '../../src/cli/main.ts'
import { settings } from '../../src/config/settings.ts'
import { isReadable } from '../../src/files/record.ts'
import * as carcosa from '../../src/index.ts'
import { CarcosaError, createCarcosa, createRouter, route } from '../../src/index.ts'
import { createServerMetrics } from '../../src/ops/metrics-server.ts'
import type { RouteOptions } from '../../src/routes/options.ts'
import type { TypeOptions } from '../../src/routes/rules.ts'
import { parseDuration } from '../../src/shared/durations.ts'
import { errorCodes } from '../../src/shared/errors.ts'
import { typeGroups } from '../../src/shared/mime.ts'
import {
  defaultRateLimits,
  type LimitedOperation,
  limitedOperations,
  parseRateLimitText,
  rulesIn,
} from '../../src/shared/rate-limits.ts'
import { parseSize } from '../../src/shared/sizes.ts'
import { predecessors } from '../../src/uploads/state.ts'
import { overFetch } from '../support/exchange.ts'
import { anchors, codeBlocks, codes, links, table } from '../support/markdown.ts'
import { metricKinds } from '../support/metrics.ts'

const root = join(import.meta.dirname, '../..')
const textOf = (path: string) => readFileSync(join(root, path), 'utf8')
const readme = textOf('README.md')

const prose = suite('the text of the README')

const blocks = codeBlocks(readme).filter(({ language }) => language === 'ts')

prose('has code', () => assert.ok(blocks.length >= 4, `${blocks.length} blocks`))

for (const { text, link } of blocks) {
  prose(`shows a part of ${link} as it is`, () => {
    const file = withoutIndentation(textOf(link ?? ''))
    assert.ok(file.includes(withoutIndentation(text)), `not in ${link}:\n${text}`)
  })
}

for (const page of ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md']) {
  prose(`links of ${page} lead somewhere`, () => {
    const broken = links(textOf(page))
      .filter((target) => !target.startsWith('https://'))
      .filter((target) =>
        target.startsWith('#')
          ? !anchors(textOf(page)).includes(target.slice(1))
          : !existsSync(join(root, target)),
      )
    assert.equal(broken, [])
  })
}

prose('names every example', () => {
  const named = table(readme, ['Example', 'Shows']).map(([cell = '']) => links(cell)[0])
  assert.ok(named.every((path) => path?.startsWith('examples/')))
})

prose.run()

const tables = suite('a table of the README')

tables('options: every setting with its flag, variables and default', () => {
  const rows = table(readme, ['Option', 'Flag', 'Variable', 'Default'])
  const expected = Object.entries(settings).map(([name, setting]) => [
    `\`${name}\`${setting.server ? ' (*start*)' : ''}`,
    setting.flag ? `\`--${setting.flag}\`` : '',
    setting.env.map((one) => `\`${one}\`${setting.secret ? '*' : ''}`).join(' '),
    setting.fallback?.replace(/^\S+$/, '`$&`') ?? '',
  ])
  assert.is(asText(rows), asText(expected))
})

tables('options of a type: names and defaults', () => {
  const rows = table(readme, ['Option', 'Default', '']).slice(0, typeOptionNames.length)
  const shown = Object.fromEntries(
    rows.map(([name = '', value]) => [codes(name)[0], value]),
  )
  assert.equal(Object.keys(shown), typeOptionNames)
  const sizes: Record<string, string> = Object.fromEntries(
    (shown.maxFileSize ?? '').split(', ').map((one: string) => one.split(/ (?=\d)/)),
  )
  const { 'single types': single, ...groups } = sizes
  assert.equal(Object.keys(groups).sort(), [...typeGroups].sort())
  for (const [type, size] of [...Object.entries(groups), ['image/png', single]]) {
    const rule = route([type as 'image']).definition.types[type ?? '']
    assert.is(rule?.maxFileSize, parseSize(size ?? ''), type)
    assert.is(String(rule?.minFileSize), shown.minFileSize)
    assert.is(String(rule?.maxFileCount), shown.maxFileCount)
    assert.is(String(rule?.minFileCount), shown.minFileCount)
    assert.is(rule?.contentDisposition, shown.contentDisposition)
    assert.is(rule?.acl, shown.acl)
    assert.is(rule?.additionalProperties, undefined)
  }
})

tables('options of a route: names and defaults', () => {
  const after = readme.slice(readme.indexOf('Options of a route:'))
  const rows = table(after, ['Option', 'Default', ''])
  const shown = Object.fromEntries(
    rows.map(([name = '', value]) => [codes(name)[0], value]),
  )
  assert.equal(Object.keys(shown), routeOptionNames)
  const { definition } = route(['image'])
  assert.is(String(definition.awaitServerData), shown.awaitServerData)
  assert.is(definition.ticketTTL, parseDuration(shown.ticketTTL ?? ''))
  assert.is(definition.ticketTTL, parseDuration(shown.presignedURLTTL ?? ''))
  assert.is(definition.trustedType, shown.trustedType)
})

tables('steps of a route: all of them', () => {
  const rows = table(readme, ['Step', ''])
  const named = rows.map(([cell = '']) => /^`\.(\w+)\(/.exec(cell)?.[1])
  const steps = Object.entries(route(['image'])).filter(([, step]) => isFunction(step))
  assert.equal(named.sort(), steps.map(([name]) => name).sort())
})

tables('roles: all but that of guests, with their grants', () => {
  const rows = table(readme, ['Role', 'May do in its project'])
  const shown: Record<string, string[]> = {}
  for (const [name = '', cell = ''] of rows) {
    const grants = codes(cell).flatMap((code) => shown[code] ?? [code])
    shown[codes(name)[0] ?? ''] = grants.sort()
  }
  const { anonymous, ...others } = builtInRoles
  const expected = Object.entries(others).map(([name, grants]) => [
    name,
    [...new Set(grants)].sort(),
  ])
  assert.equal(shown, Object.fromEntries(expected))
})

tables('verbs: as carcosa help lists them', () => {
  const rows = table(readme, ['Verb', 'Does'])
  assert.equal(
    rows.map((cells) => cells.map((cell) => cell.replaceAll('`', ''))),
    verbs.map(({ name, summary }) => [name, summary]),
  )
})

tables('rate limits: every operation, and the defaults as they are', () => {
  const rows = table(readme, ['Operation', 'Counted by', 'Default', ''])
  assert.equal(
    rows.map(([cell = '']) => codes(cell)[0]),
    [...limitedOperations],
  )
  const points = (name: LimitedOperation) => rulesIn(defaultRateLimits[name])[0]?.points
  const shown = rows.map(([, , text = '']) => /^[\d,]+(?= a minute)/.exec(text)?.[0])
  assert.equal(
    [shown[0], shown[2]],
    [points('create'), points('auth')].map((number) => number?.toLocaleString('en')),
  )
  assert.equal(defaultRateLimits, parseRateLimitText(settings.rateLimits.fallback ?? ''))
})

tables('errors: every code with its status and title', () => {
  const rows = table(readme, ['Code', 'Status', 'Means'])
  const expected = errorCodes.map((code) => {
    const { status, title } = new CarcosaError(code).toProblem()
    return [`\`${code}\``, String(status), title]
  })
  assert.is(asText(rows), asText(expected))
})

tables('states: all of them, with what may follow', () => {
  const rows = table(readme, ['State', 'Means', 'Next'])
  const states = rows.map(([cell = '']) => codes(cell)[0] as carcosa.FileState)
  assert.equal([...states].sort(), Object.keys(everyState).sort())
  for (const [at, [, , next = '']] of rows.entries()) {
    const state = states[at] ?? 'created'
    const expected = states.filter((to) => predecessors(to).includes(state))
    assert.equal(codes(next).sort(), expected.sort(), state)
  }
  const [, readable = ''] = /^Files that are (.+) can be read\.$/m.exec(readme) ?? []
  assert.equal(codes(readable), states.filter(isReadable))
})

tables.run()

const running = suite('what the README says of a running server')
const dataDir = mkdtempSync(join(tmpdir(), 'carcosa-readme-'))
let server: carcosa.Carcosa

running.before(async () => {
  const router = createRouter({ demo: route({ blob: { acl: 'public-read' } }).public() })
  const auth = [
    { name: 'ann', authenticate: () => ({ id: 'ann', kind: 'user' as const }) },
  ]
  server = await createCarcosa({ router, auth, dataDir, database: 'memory://' })
})
running.after(async () => {
  await server.close()
  rmSync(dataDir, { recursive: true })
})

/** What ends in this takes JSON. */
const bodies = [
  ['/prepare', '{"files":[{"name":"a","size":1,"type":""}]}'],
  ['/finish', '{"receipts":[]}'],
] as const

/** What does not end, and is tried without what it needs: it says what that is. */
const refusing: Record<string, number> = { '/events': 400, '/ws': 426 }

running('every request of the table of URLs has an answer of its own', async () => {
  const ask = overFetch(server.fetch)
  for (const [cell = ''] of table(readme, ['Request', 'Answer'])) {
    const [method = '', pattern = ''] = codes(cell)[0]?.split(' ') ?? []
    const { id } = await server.api.files.upload('x', { route: 'demo', ownerId: 'ann' })
    const path = pattern.replace(':route', 'demo').replace(':id', id)
    const json = { 'Content-Type': 'application/json' }
    const body = bodies.find(([end]) => path.endsWith(end))?.[1]
    const { status, text } = await ask({
      method,
      path,
      headers: { ...(body ? json : tusHeaders[method]) },
      ...(body && { body }),
    })
    const expected = refusing[path]
    assert.ok(expected ? status === expected : status < 300, `${path}: ${status} ${text}`)
  }
})

running('the tus extensions are the ones it names', async () => {
  const [, list = ''] = /supported: (.+?) \|/.exec(readme) ?? []
  const answer = await overFetch(server.fetch)({
    method: 'OPTIONS',
    path: '/uploads/demo',
  })
  const advertised = answer.headers['tus-extension']?.split(',') ?? []
  assert.equal(list.split(', ').sort(), advertised.sort())
})

running('the table of api.files has each of its functions', () => {
  const rows = table(readme, ['`carcosa.api.files`', 'Does'])
  const named = rows.map(([cell = '']) => /^`(\w+)\(/.exec(cell)?.[1])
  assert.equal(named.sort(), Object.keys(server.api.files).sort())
})

running('the table of metrics has each of them, with its kind', async () => {
  const { body } = await createServerMetrics(() => 0).append(await server.metrics())
  const expected = [...metricKinds(body)].filter(([name]) => name.startsWith('carcosa_'))
  // On PGlite there is no pool.
  for (const one of ['size', 'idle', 'waiting']) {
    expected.push([`carcosa_database_pool_${one}`, 'gauge'])
  }
  const rows = table(readme, ['Metric', 'Kind', 'Labels', ''])
  const named = rows.map(([cell = '', kind = '']) => [codes(cell)[0], kind])
  assert.equal(named.sort(), expected.sort())
})

running('the names offered to switchers exist', () => {
  const known = [
    ...Object.keys(carcosa),
    ...Object.keys(client),
    ...Object.keys(route(['image'])),
    ...Object.keys(server.api.files).map((name) => `api.files.${name}`),
    ...Object.keys(client.createClient({ url: 'http://x' })).map(
      (name) => `client.${name}`,
    ),
  ]
  const offered = table(readme, ['UploadThing', 'Carcosa'])
    .flatMap(([, cell = '']) => codes(cell))
    .flatMap((code) => /^\.?([\w.]+)(?=[(<])/.exec(code)?.[1] ?? [])
  assert.ok(offered.length > 10, offered.join())
  assert.equal(
    offered.filter((name) => !known.includes(name)),
    [],
  )
})

running.run()

// Complete by their types: a new option or state does not compile until it stands here.

const typeOptionNames = Object.keys({
  maxFileSize: 0,
  minFileSize: 0,
  maxFileCount: 0,
  minFileCount: 0,
  contentDisposition: 0,
  acl: 0,
  additionalProperties: 0,
} satisfies Record<keyof TypeOptions, 0>)

const routeOptionNames = Object.keys({
  awaitServerData: 0,
  ticketTTL: 0,
  presignedURLTTL: 0,
  trustedType: 0,
  getFileHashParts: 0,
  hashFn: 0,
} satisfies Record<keyof RouteOptions, 0>)

const everyState: Record<carcosa.FileState, 0> = {
  created: 0,
  receiving: 0,
  stored: 0,
  processing: 0,
  ready: 0,
  failed: 0,
  rejected: 0,
  expired: 0,
  removed: 0,
  quarantined: 0,
}

/** What each verb of tus needs to be answered well on an upload of one byte that is complete. */
const tusHeaders: Record<string, Record<string, string>> = {
  POST: { 'Upload-Length': '1' },
  PATCH: { 'Upload-Offset': '1', 'Content-Type': 'application/offset+octet-stream' },
}

/** One row a line, so that a failure shows the rows that differ. */
function asText(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function withoutIndentation(code: string): string {
  return code.replace(/^ +/gm, '').trim()
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}
