/**
 * Generates the Prisma client into src/db/generated. npm runs it as `prepare`, so that
 * `npm install` is all a clean clone needs; it does nothing when the client is up to date.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const root = dirname(import.meta.dirname)
const schema = join(root, 'prisma/schema.prisma')
const output = join(root, 'src/db/generated')
const stamp = join(output, '.stamp')

const cli = findPrisma()
if (!cli) {
  console.log('prisma is not installed (a production install?): no client is generated.')
} else if (read(stamp) !== fingerprint(cli.version)) {
  generate(cli.main)
  removeGlobalDirname()
  writeFileSync(stamp, fingerprint(cli.version))
}

function findPrisma(): { main: string; version: string } | null {
  try {
    const { version } = require('prisma/package.json') as { version: string }
    return { main: require.resolve('prisma/build/index.js'), version }
  } catch {
    return null
  }
}

/** Changes whenever the client has to be generated again. */
function fingerprint(version: string): string {
  const hash = createHash('sha256').update(version)
  for (const file of [schema, import.meta.filename]) hash.update(readFileSync(file))
  return hash.digest('hex')
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function generate(main: string): void {
  const result = spawnSync(
    process.execPath,
    [main, 'generate', '--no-hints', '--schema', schema],
    {
      cwd: root,
      encoding: 'utf8',
      env: {
        ...process.env,
        // The CLI downloads a schema engine before any command. `generate` never runs it
        // (it uses the WASM build in the package), so any executable satisfies the check.
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
        CHECKPOINT_DISABLE: '1',
      },
    },
  )
  if (result.status === 0) return
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
  throw new Error('prisma generate failed, see above.', { cause: result.error })
}

/**
 * The generated module sets `globalThis.__dirname`, which it never reads. In a host
 * application that global makes libraries believe they run as CommonJS.
 */
function removeGlobalDirname(): void {
  const file = join(output, 'client.ts')
  const source = readFileSync(file, 'utf8')
  const cleaned = source.replace(/^globalThis\['__dirname'\] = .*$/m, '')
  if (cleaned.includes("globalThis['__dirname']")) {
    throw new Error(`${file} still sets globalThis.__dirname: adapt prisma/generate.ts.`)
  }
  writeFileSync(file, cleaned)
}
