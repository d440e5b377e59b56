/**
 * `npm run check:package` proves that what `npm run build` wrote can be published: packs it,
 * lets publint and are-the-types-wrong look at it, installs it into an empty project, and
 * there imports every subpath, starts the command and type-checks a consumer.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const project = mkdtempSync(join(tmpdir(), 'carcosa-package-'))

try {
  const tarball = pack()
  step('publint', () => run('publint', ['run', '--strict', tarball]))
  step('are the types wrong', () => run('attw', ['--profile', 'esm-only', tarball]))
  step('installs', () => install(tarball))
  step('every subpath imports', importAll)
  step('the command starts', startCommand)
  step('a consumer type-checks', checkConsumer)
} finally {
  rmSync(project, { recursive: true, force: true })
}

function step(name: string, work: () => void): void {
  console.log(`\n── ${name}`)
  work()
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

function startCommand(): void {
  execFileSync('npx', ['--no-install', 'carcosa', 'version'], {
    cwd: project,
    stdio: 'inherit',
  })
}

function checkConsumer(): void {
  const imports = subpaths().map((name, i) => `import * as m${i} from '${name}'`)
  const uses = subpaths().map((_, i) => `console.log(m${i})`)
  write('consumer.ts', [...imports, ...uses])
  const typeRoots = join(root, 'node_modules/@types')
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024']
  run('tsc', [...options, '--typeRoots', typeRoots, '--types', 'node', 'consumer.ts'])
}

/** `carcosa`, `carcosa/client`, … as the package itself lists them. */
function subpaths(): string[] {
  const file = join(project, 'node_modules/carcosa/package.json')
  const { exports } = JSON.parse(readFileSync(file, 'utf8')) as { exports: object }
  return Object.keys(exports)
    .filter((subpath) => !subpath.endsWith('.json'))
    .map((subpath) => join('carcosa', subpath))
}

function write(name: string, content: string | readonly string[]): void {
  const text = typeof content === 'string' ? content : content.join('\n')
  writeFileSync(join(project, name), `${text}\n`)
}
