/**
 * `npm run check:package` proves that what `npm run build` wrote can be published: packs it,
 * lets publint and are-the-types-wrong look at it, installs it into an empty project, and
 * there imports every subpath, starts the command and type-checks a consumer.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

const root = join(import.meta.dirname, '..')
const project = mkdtempSync(join(tmpdir(), 'carcosa-package-'))

try {
  const tarball = pack()
  await step('publint', () => run('publint', ['run', '--strict', tarball]))
  await step('are the types wrong', () => run('attw', ['--profile', 'esm-only', tarball]))
  await step('installs', () => install(tarball))
  await step('every subpath imports', importAll)
  await step('the command serves', serve)
  await step('a consumer type-checks, without SDKs', () =>
    checkConsumer(subpaths().filter((name) => !needsSdk(name))),
  )
  await step('a consumer type-checks, with SDKs', () => {
    installPeers()
    checkConsumer(subpaths())
  })
} finally {
  rmSync(project, { recursive: true, force: true })
}

async function step(name: string, work: () => void | Promise<void>): Promise<void> {
  console.log(`\n── ${name}`)
  await work()
}

function pack(): string {
  const args = ['pack', './dist', '--json', '--pack-destination', project]
  const [{ filename, size, entryCount }] = JSON.parse(
    execFileSync('npm', args, { cwd: root, encoding: 'utf8' }),
  )
  console.log(`${filename}: ${entryCount} files, ${Math.round(size / 1024)} KiB`)
  return join(project, filename)
}

/** Runs a command of ours in the empty project; throws if it fails. */
function run(command: string, args: readonly string[]): void {
  execFileSync(join(root, 'node_modules/.bin', command), args, {
    cwd: project,
    stdio: 'inherit',
  })
}

function install(tarball: string): void {
  write('package.json', JSON.stringify({ name: 'consumer', type: 'module' }))
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball]
  execFileSync('npm', args, { cwd: project, stdio: 'inherit' })
}

function importAll(): void {
  write(
    'import-all.js',
    subpaths().map((name) => `console.log(await import('${name}'))`),
  )
  run('node', ['import-all.js'])
}

/** Starts the demo from the installed package: database, migrations and page included. */
async function serve(): Promise<void> {
  const command = join(project, 'node_modules/.bin/carcosa')
  const child = spawn(command, ['start', '--port=0'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  try {
    const url = await firstUrl(child.stdout)
    const response = await fetch(new URL('/healthz', url))
    console.log(url, response.status, await response.text())
    if (!response.ok) throw new Error(`GET /healthz answered ${response.status}`)
  } finally {
    child.kill('SIGTERM')
  }
  const [code] = await exited
  if (code !== 0) throw new Error(`carcosa start ended with ${code}`)
}

async function firstUrl(output: Readable): Promise<string> {
  let text = ''
  // Destroyed, the pipe would fail the next line that the server prints.
  for await (const chunk of output.iterator({ destroyOnReturn: false })) {
    text += chunk
    const url = /http:\/\/\S+/.exec(text)?.[0]
    if (url) {
      output.resume()
      return url
    }
  }
  throw new Error(`carcosa start ended without saying where it listens:\n${text}`)
}

/** Stores whose options are typed by the SDK of their service, an optional peer. */
function needsSdk(name: string): boolean {
  return /\/stores\/(s3|r2|presets|gcs)$/.test(name)
}

function installPeers(): void {
  const { peerDependencies } = manifest() as { peerDependencies: Record<string, string> }
  const peers = Object.entries(peerDependencies).map(
    ([name, range]) => `${name}@${range}`,
  )
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', ...peers]
  execFileSync('npm', args, { cwd: project, stdio: 'inherit' })
}

function checkConsumer(names: readonly string[]): void {
  const imports = names.map((name, i) => `import * as m${i} from '${name}'`)
  const uses = names.map((_, i) => `console.log(m${i})`)
  write('consumer.ts', [...imports, ...uses])
  const typeRoots = join(root, 'node_modules/@types')
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024']
  run('tsc', [...options, '--typeRoots', typeRoots, '--types', 'node', 'consumer.ts'])
}

/** `carcosa`, `carcosa/client`, … as the package itself lists them. */
function subpaths(): string[] {
  const { exports } = manifest() as { exports: object }
  return Object.keys(exports)
    .filter((subpath) => !subpath.endsWith('.json'))
    .map((subpath) => join('carcosa', subpath))
}

/** The package.json of the package as it is installed. */
function manifest(): unknown {
  const file = join(project, 'node_modules/carcosa/package.json')
  return JSON.parse(readFileSync(file, 'utf8'))
}

function write(name: string, content: string | readonly string[]): void {
  const text = typeof content === 'string' ? content : content.join('\n')
  writeFileSync(join(project, name), `${text}\n`)
}
