/**
 * `npm run build` writes the package, as it is published, to `dist/`.
 *
 * In the checkout package.json leads to the TypeScript sources, so that tests, examples and
 * `npx carcosa` need no build. npm cannot replace `exports` when it publishes, so the
 * published package.json is written here and `dist/` is what is packed: `npm publish ./dist`.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

rmSync(dist, { recursive: true, force: true })
run('tsc', '-p', 'tsconfig.build.json')
run('vite', 'build', 'client/page', '--logLevel', 'warn')
copy('prisma/migrations')
copy('client/page/dist')
for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE']) {
  if (existsSync(join(root, name))) copy(name)
}
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
writeFileSync(
  join(dist, 'package.json'),
  `${JSON.stringify(published(manifest), null, 2)}\n`,
)

function run(command: string, ...args: string[]): void {
  const binary = join(root, 'node_modules/.bin', command)
  execFileSync(binary, args, { cwd: root, stdio: 'inherit' })
}

function copy(name: string): void {
  cpSync(join(root, name), join(dist, name), { recursive: true })
}

interface Manifest extends Record<string, unknown> {
  /** Fields that hold for the package only: the checkout brings its own Node. */
  publishConfig: Record<string, unknown>
  bin: Record<string, string>
  /** Subpath → file, listed by hand. */
  exports: Record<string, string>
}

/** The package.json of the package: compiled files, and nothing that only the checkout needs. */
function published({
  bin,
  exports,
  publishConfig,
  ...manifest
}: Manifest): Record<string, unknown> {
  for (const key of ['private', 'scripts', 'devDependencies', 'allowScripts']) {
    delete manifest[key]
  }
  const commands = Object.entries(bin).map(([name, file]) => [name, compiled(file)])
  const subpaths = Object.entries(exports).map(([name, file]) => [name, target(file)])
  return {
    ...manifest,
    ...publishConfig,
    bin: Object.fromEntries(commands),
    exports: Object.fromEntries(subpaths),
  }
}

function target(file: string): string | { types: string; default: string } {
  if (!file.endsWith('.ts')) return file
  return { types: file.replace(/\.ts$/, '.d.ts'), default: compiled(file) }
}

function compiled(file: string): string {
  return file.replace(/\.ts$/, '.js')
}
