import { execFile } from 'node:child_process'
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = join(import.meta.dirname, '../..')

const db = ['src/db/x.ts', 'src/db/open.ts', 'src/db/migrate.ts']
const redisClient = 'src/channel/redis-client.ts'
const channel = ['src/channel/x.ts', 'src/channel/channel.ts', redisClient]
const usage = ['src/usage/x.ts', 'src/usage/quotas.ts', 'src/usage/reserve.ts']
const nouns = ['src/accounts/x.ts', 'src/projects/x.ts', 'src/audit/x.ts', ...usage]
const limits = ['src/limits/x.ts', 'src/limits/limiter.ts']
const auth = [
  ...['src/auth/x.ts', 'src/auth/principal.ts', 'src/auth/permissions.ts'],
  ...['src/auth/roles.ts', 'src/auth/project-gate.ts'],
]

/** Who may import whom, as CONTRIBUTING.md says it. Rows are importers. */
const arrows: Record<string, readonly string[]> = {
  'bin/probe.ts': ['src/cli/x.ts', 'src/config.ts'],
  'src/probe.ts': [
    ...[...auth, 'src/cli/x.ts', 'src/config.ts'],
    ...['src/carcosa.ts', 'src/worker.ts', ...db, 'src/events/x.ts', ...channel],
    ...['src/files/x.ts', 'src/files/records.ts', 'src/http/x.ts', 'src/jobs/x.ts'],
    ...['src/jobs/definitions.ts', 'src/ops/x.ts', 'src/routes/x.ts'],
    ...['src/shared/x.ts', 'src/uploads/x.ts', 'stores/store.ts', 'stores/file.ts'],
    ...['src/upkeep/x.ts', ...limits, ...nouns, 'src/api/x.ts'],
    ...['src/idempotency/keys.ts', 'src/remote/x.ts'],
  ],
  'src/remote/probe.ts': ['src/remote/x.ts', 'src/shared/x.ts'],
  'src/cli/probe.ts': [
    ...['src/carcosa.ts', 'src/worker.ts', 'src/config.ts', 'src/shared/x.ts'],
    ...['src/cli/x.ts', 'client/x.ts', 'src/ops/x.ts', 'src/routes/x.ts'],
    ...['src/db/open.ts', 'src/db/migrate.ts'],
  ],
  'src/cli/server/probe.ts': [
    ...['src/carcosa.ts', 'src/worker.ts', 'src/config.ts', 'src/shared/x.ts'],
    ...['src/cli/x.ts', 'client/x.ts', 'src/ops/x.ts', 'src/routes/x.ts'],
  ],
  'src/cli/doctor/checks/probe.ts': [
    ...['src/cli/x.ts', 'src/shared/x.ts', 'src/db/open.ts', 'src/db/migrate.ts'],
  ],
  'src/config/probe.ts': [
    ...['src/shared/x.ts', ...auth, 'src/routes/x.ts', 'stores/store.ts'],
  ],
  'src/http/probe.ts': [
    ...[...auth, 'src/files/x.ts'],
    ...['src/files/records.ts', 'src/uploads/x.ts', 'src/events/x.ts'],
    ...['src/routes/x.ts', 'src/ops/x.ts', 'src/shared/x.ts', 'src/http/x.ts'],
    ...['src/limits/limiter.ts', ...nouns, 'src/api/x.ts'],
  ],
  'src/http/rest/probe.ts': [
    ...[...auth, 'src/files/x.ts', ...nouns, 'src/api/x.ts', 'src/limits/limiter.ts'],
    ...['src/files/records.ts', 'src/uploads/x.ts', 'src/events/x.ts', 'src/jobs/x.ts'],
    ...['src/jobs/definitions.ts', 'src/routes/x.ts', 'src/ops/x.ts', 'src/shared/x.ts'],
    ...['src/http/x.ts', 'src/idempotency/keys.ts'],
  ],
  'src/idempotency/probe.ts': [...db, 'src/shared/x.ts', 'src/idempotency/keys.ts'],
  'src/api/probe.ts': [
    ...[...auth, ...nouns, ...db, 'src/files/x.ts', 'src/files/records.ts'],
    ...['src/uploads/x.ts', 'src/upkeep/x.ts', 'src/events/x.ts', 'src/jobs/x.ts'],
    ...['src/jobs/definitions.ts', 'src/routes/x.ts', 'src/ops/x.ts', 'src/shared/x.ts'],
    ...['src/api/x.ts', 'stores/store.ts'],
  ],
  'src/accounts/probe.ts': [
    ...[...auth, ...db, 'src/events/x.ts', 'src/channel/channel.ts', 'src/shared/x.ts'],
    ...['src/jobs/definitions.ts', 'src/accounts/x.ts'],
  ],
  'src/projects/probe.ts': [
    ...[...auth, ...db, 'src/events/x.ts', 'src/channel/channel.ts', 'src/shared/x.ts'],
    ...['src/jobs/x.ts', 'src/jobs/definitions.ts', 'src/files/x.ts'],
    ...['src/files/records.ts', 'src/uploads/x.ts', 'src/projects/x.ts'],
  ],
  'src/audit/probe.ts': [
    ...[...auth, ...db, 'src/events/x.ts', 'src/shared/x.ts', 'src/audit/x.ts'],
    'src/jobs/definitions.ts',
  ],
  'src/usage/probe.ts': [
    ...[...auth, ...db, 'src/events/x.ts', 'src/shared/x.ts', ...usage],
    ...['src/channel/channel.ts', 'src/jobs/definitions.ts'],
  ],
  'src/uploads/probe.ts': [
    ...['src/routes/x.ts', 'src/files/records.ts', 'src/events/x.ts', 'src/jobs/x.ts'],
    ...['src/jobs/definitions.ts', ...db],
    ...['src/auth/principal.ts', 'src/auth/permissions.ts', 'src/auth/roles.ts'],
    ...['stores/store.ts', 'src/shared/x.ts', 'src/uploads/x.ts'],
    ...['src/channel/channel.ts', 'src/usage/quotas.ts'],
    'src/auth/project-gate.ts',
  ],
  'src/upkeep/probe.ts': [
    ...['src/routes/x.ts', 'src/files/x.ts', 'src/files/records.ts', 'src/events/x.ts'],
    ...['src/jobs/x.ts', 'src/jobs/definitions.ts', 'src/auth/principal.ts', ...db],
    ...['stores/store.ts', 'src/shared/x.ts', 'src/uploads/x.ts', 'src/upkeep/x.ts'],
  ],
  'src/uploads/ticket.ts': ['src/shared/x.ts', 'src/uploads/x.ts'],
  'src/files/probe.ts': [
    ...['src/events/x.ts', 'src/auth/principal.ts', ...db, 'stores/store.ts'],
    ...['src/auth/permissions.ts', 'src/usage/reserve.ts'],
    'src/auth/project-gate.ts',
    ...['src/shared/x.ts', 'src/files/x.ts', 'src/files/records.ts'],
  ],
  'src/files/detect.ts': [
    ...['src/shared/x.ts', 'stores/store.ts', 'src/files/x.ts', 'src/files/records.ts'],
  ],
  'src/events/probe.ts': [
    ...['src/jobs/definitions.ts', ...db, 'src/shared/x.ts', 'src/events/x.ts'],
    'src/channel/channel.ts',
  ],
  'src/events/ws.ts': ['src/shared/x.ts', 'src/events/x.ts'],
  'src/channel/probe.ts': [...db, 'src/shared/x.ts', ...channel],
  'src/channel/redis.ts': [...db, 'src/shared/x.ts', ...channel],
  'src/limits/probe.ts': [...db, 'src/shared/x.ts', ...limits, redisClient],
  'src/limits/memory-counts.ts': [...db, 'src/shared/x.ts', ...limits, redisClient],
  'src/jobs/probe.ts': [
    ...[...db, 'src/shared/x.ts', 'src/jobs/x.ts', 'src/jobs/definitions.ts'],
  ],
  'src/jobs/queue.ts': [
    ...[...db, 'src/shared/x.ts', 'src/jobs/x.ts', 'src/jobs/definitions.ts'],
  ],
  'src/routes/probe.ts': ['src/auth/principal.ts', 'src/shared/x.ts', 'src/routes/x.ts'],
  'src/ops/probe.ts': [...db, 'src/shared/x.ts', 'src/ops/x.ts'],
  'src/ops/metrics-probe.ts': [...db, 'src/shared/x.ts', 'src/ops/x.ts'],
  'src/ops/log.ts': ['src/shared/x.ts', 'src/ops/x.ts'],
  'src/db/probe.ts': ['src/shared/x.ts', ...db],
  'src/auth/probe.ts': [...['src/shared/x.ts', ...auth, ...db, 'src/channel/channel.ts']],
  'src/auth/jwt.ts': ['src/shared/x.ts', ...auth],
  'src/shared/probe.ts': ['src/shared/x.ts'],
  'stores/probe.ts': ['src/shared/x.ts', 'stores/store.ts', 'stores/file.ts'],
  'stores/some/probe.ts': ['src/shared/x.ts', 'stores/store.ts', 'stores/file.ts'],
  'stores/s3.ts': ['src/shared/x.ts', 'stores/store.ts', 'stores/file.ts'],
  'stores/s3/probe.ts': ['src/shared/x.ts', 'stores/store.ts', 'stores/file.ts'],
  'stores/gcs.ts': ['src/shared/x.ts', 'stores/store.ts', 'stores/file.ts'],
  'stores/gcs/probe.ts': ['src/shared/x.ts', 'stores/store.ts', 'stores/file.ts'],
  'client/probe.ts': ['src/shared/x.ts', 'client/x.ts'],
  'client/page/probe.ts': ['src/shared/x.ts', 'client/x.ts'],
}

/** The doors: the only places that may import each package. */
const doors: Record<string, readonly string[]> = {
  hono: ['src/http/rest/probe.ts'],
  '@hono/zod-openapi': ['src/http/rest/probe.ts'],
  'better-auth': ['src/accounts/probe.ts'],
  '@tus/server': ['src/uploads/probe.ts'],
  '@tus/utils': ['src/uploads/probe.ts'],
  jose: ['src/uploads/ticket.ts', 'src/auth/jwt.ts'],
  '@prisma/client': ['src/db/probe.ts'],
  '@prisma/adapter-pg': ['src/db/probe.ts'],
  pg: ['src/db/probe.ts'],
  '@electric-sql/pglite': ['src/db/probe.ts'],
  'pglite-prisma-adapter': ['src/db/probe.ts'],
  'pg-boss': ['src/jobs/queue.ts'],
  '@redis/client': ['src/channel/redis.ts'],
  'rate-limiter-flexible': ['src/limits/memory-counts.ts'],
  'prom-client': ['src/ops/metrics-probe.ts'],
  pino: ['src/ops/log.ts'],
  'file-type': ['src/files/detect.ts'],
  zod: ['src/config/probe.ts'],
  ws: ['src/events/ws.ts'],
  'tus-js-client': ['client/probe.ts'],
  '@aws-sdk/client-s3': ['stores/s3.ts', 'stores/s3/probe.ts'],
  '@aws-sdk/s3-request-presigner': ['stores/s3.ts', 'stores/s3/probe.ts'],
  '@google-cloud/storage': ['stores/gcs.ts', 'stores/gcs/probe.ts'],
  'a-package-nobody-chose': [],
}

const everything = [...new Set(Object.values(arrows).flat())]

const lint = suite('lint')
let project: string

lint.before(() => {
  project = mkdtempSync(join(tmpdir(), 'carcosa-lint-'))
  cpSync(join(root, 'biome.json'), join(project, 'biome.json'))
  for (const plugin of globSync('.ci/*.grit', { cwd: root })) {
    cpSync(join(root, plugin), join(project, plugin))
  }
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'))
})

lint.after(() => rmSync(project, { recursive: true, force: true }))

lint('lets every folder import exactly what the arrows allow', async () => {
  for (const importer of Object.keys(arrows)) {
    write(
      importer,
      everything.map((target) => `import '${specifier(importer, target)}'`),
    )
  }
  const refused = await refusals()
  for (const [importer, allowed] of Object.entries(arrows)) {
    const passed = everything.filter((_, line) => !refused.has(`${importer}:${line + 1}`))
    assert.equal(
      passed,
      everything.filter((x) => allowed.includes(x)),
      importer,
    )
  }
})

lint('lets every package in through its door only', async () => {
  const packages = Object.keys(doors)
  for (const importer of Object.keys(arrows)) {
    write(
      importer,
      packages.map((name) => `import '${name}'`),
    )
  }
  const refused = await refusals()
  for (const [line, name] of packages.entries()) {
    const open = Object.keys(arrows).filter((file) => !refused.has(`${file}:${line + 1}`))
    assert.equal(open.sort(), [...(doors[name] ?? [])].sort(), name)
  }
})

const evasions = [
  `import type { X } from '../db/x.ts'`,
  `export { x } from '../db/x.ts'`,
  `export * from '../db/x.ts'`,
  `await import('../db/x.ts')`,
  `import { createCarcosa } from 'carcosa'`,
  `import x from '#db'`,
]

for (const source of evasions) {
  lint(`sees through: ${source}`, async () => {
    write('src/shared/probe.ts', [source])
    assert.ok((await refusals()).has('src/shared/probe.ts:1'))
  })
}

lint('lets the client import types of the routes, and no code', async () => {
  write('client/probe.ts', [
    `import type { Router } from '../src/routes/router.ts'`,
    `import { createRouter } from '../src/routes/router.ts'`,
    `import { type Router } from '../src/routes/router.ts'`,
    `import type { Event } from '../src/events/event.ts'`,
    `import '../src/events/event.ts'`,
  ])
  const refused = [...(await refusals())].sort()
  assert.equal(
    refused,
    [2, 3, 5].map((line) => `client/probe.ts:${line}`),
  )
})

lint(
  'lets the API from elsewhere import types of the server, no code, and no Node',
  async () => {
    write('src/remote/probe.ts', [
      `import type { Api } from '../api/api.ts'`,
      `import { createApi } from '../api/api.ts'`,
      `import { type FileRecord } from '../files/record.ts'`,
      `import type { Store } from '../../stores/store.ts'`,
      `import { Readable } from 'node:stream'`,
      `import { CarcosaError } from '../shared/errors.ts'`,
    ])
    const refused = [...(await refusals())].sort()
    assert.equal(
      refused,
      [2, 3, 4, 5].map((line) => `src/remote/probe.ts:${line}`),
    )
  },
)

lint('makes examples import the package by its name', async () => {
  write('examples/minimal/probe.ts', [
    `import 'carcosa'`,
    `import './other.ts'`,
    `import '../../src/index.ts'`,
  ])
  assert.equal([...(await refusals())], ['examples/minimal/probe.ts:3'])
})

/** What the house style forbids: file, source, the rule that must say so. */
const forbidden: [file: string, source: string, rule: string][] = [
  ['src/a.ts', 'export const home = process.env.HOME', 'noProcessEnv'],
  ['src/b.ts', 'export const x: any = 1', 'noExplicitAny'],
  ['src/c.ts', 'export const x = (y: { z?: number }) => y.z!', 'noNonNullAssertion'],
  ['src/d.ts', 'export enum Color { Red }', 'noEnum'],
  [
    'src/e.ts',
    'export class A { constructor(readonly b: 1) {} }',
    'noParameterProperties',
  ],
  ['src/f.ts', 'export default 1', 'noDefaultExport'],
  ['src/camelCase.ts', 'export const x = 1', 'useFilenamingConvention'],
  ['src/g.ts', `import { T } from './x.ts'\nexport type U = T`, 'useImportType'],
  [
    'src/h.ts',
    'async function f() {}\nexport function g() { f() }',
    'noFloatingPromises',
  ],
  ['src/i.ts', `import './j.ts'`, 'noImportCycles'],
  ['src/k.ts', `import { x } from './x.ts'`, 'noUnusedImports'],
]

lint('refuses what the house style forbids', async () => {
  write('src/j.ts', [`import './i.ts'`])
  for (const [file, source] of forbidden) write(file, [source])
  const rules = new Set((await run()).map(({ file, rule }) => `${file} ${rule}`))
  const missed = forbidden.filter(([file, , rule]) => !rules.has(`${file} ${rule}`))
  assert.equal(missed, [])
})

lint(
  'allows the environment in src/config.ts and default exports in config files',
  async () => {
    write('src/config.ts', ['export const environment = () => process.env'])
    write('carcosa.config.ts', ['export default {}'])
    assert.equal(await run(), [])
  },
)

lint.after.each(() => {
  for (const folder of [
    'src',
    'stores',
    'client',
    'bin',
    'examples',
    'carcosa.config.ts',
  ]) {
    rmSync(join(project, folder), { recursive: true, force: true })
  }
})

lint.run()

function write(file: string, lines: readonly string[]): void {
  mkdirSync(dirname(join(project, file)), { recursive: true })
  writeFileSync(join(project, file), `${lines.join('\n')}\n`)
}

function specifier(importer: string, target: string): string {
  const from = dirname(importer).split('/')
  const to = target.split('/')
  while (from.length > 0 && from[0] === to[0]) {
    from.shift()
    to.shift()
  }
  return `${'../'.repeat(from.length) || './'}${to.join('/')}`
}

/** `file:line` of every import that is refused. */
async function refusals(): Promise<Set<string>> {
  const imports = (await run()).filter(({ rule }) =>
    /noRestrictedImports|plugin/.test(rule),
  )
  return new Set(imports.map(({ file, line }) => `${file}:${line}`))
}

interface Diagnostic {
  rule: string
  file: string
  line: number
}

/**
 * Everything Biome calls an error in the project. A canary proves that it looked: with a
 * broken configuration it would find nothing, and half of these tests would pass.
 */
function run(): Promise<Diagnostic[]> {
  write('src/canary.ts', ['export enum Canary {}'])
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
  const options = ['--reporter=github', '--max-diagnostics=none', '--vcs-enabled=false']
  const args = [biome, 'lint', ...options, '--diagnostic-level=error', '.']
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: project }, (_, stdout, stderr) => {
      const found = parse(stdout)
      const others = found.filter(({ file }) => file !== 'src/canary.ts')
      if (others.length < found.length) resolve(others)
      else reject(new Error(`Biome did not see the canary:\n${stderr}`))
    })
  })
}

function parse(stdout: string): Diagnostic[] {
  const lines = stdout.matchAll(/^::error title=(.+?),file=(.+?),line=(\d+)/gm)
  return [...lines].map(([, title = '', file = '', line]) => ({
    rule: title.split('/').at(-1) ?? '',
    file: file.replace(`${project}/`, ''),
    line: Number(line),
  }))
}
