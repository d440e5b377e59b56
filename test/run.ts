/**
 * Runs the tests: `node test/run.ts [--in dir] [--timeout seconds] [filter…]`.
 *
 * Every `*.test.ts` below `test/` whose path contains one of the filters runs in a process
 * of its own, against one real Postgres server that lives as long as the run. The last line
 * is `N passed, N failed[, N skipped]`; the exit code is 0 only if nothing failed.
 */
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { type PostgresServer, startPostgresServer } from './support/postgres.ts'
import { findTests } from './support/runner/find.ts'
import { progressLine, type Result, summary, totals } from './support/runner/report.ts'
import { killAll, runFile } from './support/runner/run-file.ts'
import { judge } from './support/runner/verdict.ts'

const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: { in: { type: 'string' }, timeout: { type: 'string' } },
})
const root = join(import.meta.dirname, '..')
const strict = process.env.CARCOSA_TEST_REQUIRE === 'all'

let postgres: PostgresServer | null = null
process.on('exit', killAll)
process.once('SIGINT', () => void leave(130))
process.once('SIGTERM', () => void leave(143))
await leave(await main())

async function main(): Promise<number> {
  const tests = findTests(options.in ?? import.meta.dirname, filters)
  if (Object.values(tests).every((paths) => paths.length === 0)) {
    console.error(`No test file matches ${filters.join(' ') || 'test/**/*.test.ts'}.`)
    return 1
  }
  const env = await environment()
  const results: Result[] = []
  const run = async (queue: string[]) => {
    for (let path = queue.shift(); path; path = queue.shift()) {
      results.push(await runOne(path, env))
    }
  }
  await Promise.all([run(tests.together), run(tests.together)])
  await run(tests.alone)
  await Promise.all([run(tests.patient), run(tests.patient)])
  console.log(summary(results))
  return totals(results).failed === 0 ? 0 : 1
}

async function runOne(path: string, env: NodeJS.ProcessEnv): Promise<Result> {
  const timeout = Number(options.timeout ?? (/\bchaos\b/.test(path) ? 15 * 60 : 5 * 60))
  const outcome = await runFile(path, { timeout, env, cwd: root })
  const result = { path: relative(root, path), outcome, verdict: judge(outcome, strict) }
  console.log(progressLine(result))
  return result
}

/** What a test sees of ours: nothing but `CARCOSA_TEST_*`, so that a shell cannot steer it. */
async function environment(): Promise<NodeJS.ProcessEnv> {
  const ours = /^(CARCOSA_(?!TEST_)|DATABASE_URL$|HOST$|PORT$|FORCE_COLOR$)/
  const kept = Object.entries(process.env).filter(([name]) => !ours.test(name))
  const env: NodeJS.ProcessEnv = { ...Object.fromEntries(kept), NO_COLOR: '1' }
  if (env.CARCOSA_TEST_POSTGRES !== undefined) return env
  try {
    postgres = await startPostgresServer()
  } catch (error) {
    console.error('Postgres does not start here:', error)
  }
  return { ...env, CARCOSA_TEST_POSTGRES: postgres?.url ?? '' }
}

async function leave(code: number): Promise<never> {
  killAll()
  await postgres?.stop()
  process.exit(code)
}
