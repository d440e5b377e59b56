import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, delimiter, isAbsolute, join } from 'node:path'
import type { Callback, Test } from 'uvu'

/** Something outside of this repository that tests can need. */
export interface Part {
  readonly name: string
  /** Where it is on this machine, or null. */
  find(): string | null
  /** What a person does to have it. */
  readonly hint: string
}

/** The parts, by name; `.ci/run` installs all of them. */
const parts = {
  caddy: command(['caddy'], 'caddy'),
  chromium: command(['chromium', 'chromium-browser', 'google-chrome'], 'chromium'),
  'fake-gcs-server': goProgram(
    'github.com/fsouza/fake-gcs-server@v1.56.1',
    'CARCOSA_TEST_GCS_ENDPOINT',
  ),
  minio: goProgram('github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c'),
  nginx: command(['nginx', '/usr/sbin/nginx'], 'nginx-light'),
  pgbouncer: command(['pgbouncer', '/usr/sbin/pgbouncer'], 'pgbouncer'),
  postgres: {
    name: 'postgres',
    // The runner leaves the variable empty where no server could be started.
    find: () => process.env.CARCOSA_TEST_POSTGRES ?? 'embedded',
    hint: 'set CARCOSA_TEST_POSTGRES to the URL of a server',
  },
  'redis-server': command(['redis-server'], 'redis-server'),
  tmpfs: {
    name: 'tmpfs',
    find: mountable,
    hint: 'run as root on Linux, allowed to mount',
  },
  versitygw: goProgram(
    'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
    'CARCOSA_TEST_S3_ENDPOINT',
  ),
} satisfies Record<string, Part>

export type PartName = keyof typeof parts

/**
 * Returns `target` if this machine has the part. If not, returns a suite of the same shape
 * whose tests are counted as skipped and whose hooks never run; with
 * `CARCOSA_TEST_REQUIRE=all` each of its tests fails instead.
 *
 * @example
 * const browser = requires('chromium', suite('the demo page'))
 * browser('uploads what is dropped on it', async () => { … })
 * browser.run()
 */
export function requires<T>(what: PartName | Part, target: Test<T>): Test<T> {
  const part = typeof what === 'string' ? parts[what] : what
  if (part.find()) return target
  const missing = strict() ? failing(part, target) : skipping(part, target)
  return Object.assign(missing, {
    only: missing,
    skip: target.skip,
    run: target.run,
    before: neverRun<T>(),
    after: neverRun<T>(),
  })
}

/** Whether this machine has the part. */
export function isHere(name: PartName): boolean {
  return parts[name].find() !== null
}

/** Where the part is, e.g. the path of the browser. Throws a TypeError if it is missing. */
export function locate(name: PartName): string {
  const place = parts[name].find()
  if (!place) throw new TypeError(`There is no ${name} here: ${parts[name].hint}.`)
  return place
}

/** Tests that one file skipped for want of a part. */
export interface Skip {
  part: string
  tests: number
  hint: string
}

/** Reads back what a test file printed about the tests it skipped. */
export function parseSkips(output: string): Skip[] {
  const lines = output.matchAll(/^ {2}skipped: (.+) \((\d+) tests?\): (.+)$/gm)
  return [...lines].map(([, part = '', tests, hint = '']) => ({
    part,
    tests: Number(tests),
    hint,
  }))
}

const skipped = new Map<Part, number>()

function skipping<T>(part: Part, target: Test<T>) {
  if (skipped.size === 0) process.once('exit', printSkips)
  skipped.set(part, skipped.get(part) ?? 0)
  return (name: string, callback: Callback<T>) => {
    skipped.set(part, (skipped.get(part) ?? 0) + 1)
    target.skip(name, callback)
  }
}

function failing<T>(part: Part, target: Test<T>) {
  return (name: string) =>
    target(name, () => {
      throw new Error(`needs ${part.name}, which is missing: ${part.hint}`)
    })
}

function neverRun<T>(): Test<T>['before'] {
  return Object.assign(() => {}, { each() {} })
}

function printSkips() {
  for (const [{ name, hint }, tests] of skipped) {
    process.stdout.write(`  skipped: ${name} (${tests} tests): ${hint}\n`)
  }
}

function strict(): boolean {
  return process.env.CARCOSA_TEST_REQUIRE === 'all'
}

function command(names: readonly string[], debian: string): Part {
  return {
    name: debian,
    find: () => names.map(inPath).find((path) => path !== null) ?? null,
    hint: `apt-get install ${debian}`,
  }
}

/** `variable` names a service that takes its place. */
function goProgram(module: string, variable?: string): Part {
  const name = basename(module).replace(/@.*/, '')
  return {
    name,
    find: () => (variable && process.env[variable]) || (inPath(name) ?? inGoBin(name)),
    hint: `go install ${module}${variable ? `, or set ${variable}` : ''}`,
  }
}

/** An absolute path is where it is, whatever the PATH says. */
function inPath(name: string): string | null {
  if (isAbsolute(name)) return isExecutable(name) ? name : null
  const candidates = (process.env.PATH ?? '')
    .split(delimiter)
    .map((dir) => join(dir, name))
  return candidates.find(isExecutable) ?? null
}

/** Where `go install` puts it; few have that in their PATH. */
function inGoBin(name: string): string | null {
  const path = join(homedir(), 'go/bin', name)
  return isExecutable(path) ? path : null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Tries it: whether a container may mount is written nowhere. */
function mountable(): string | null {
  const place = mkdtempSync(join(tmpdir(), 'carcosa-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place], {
      stdio: 'ignore',
    })
    execFileSync('umount', [place], { stdio: 'ignore' })
    return 'mount'
  } catch {
    return null
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
