import type { Carcosa } from '../../carcosa.ts'
import { parseDuration } from '../../shared/durations.ts'
import { formatSize } from '../../shared/sizes.ts'
import {
  type FlagTable,
  type Io,
  type ParsedArgs,
  readArgs,
  UsageError,
} from '../verb.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'

/** What `carcosa gc` and `carcosa reconcile` have in common: flags, report and exit code. */

type Stores = Carcosa['api']['stores']
type Report = Awaited<ReturnType<Stores['reconcile']>>
type StoreReport = Report['stores'][number]

const flagTable: FlagTable = {
  ...settingFlags,
  'dry-run': { type: 'boolean' },
  force: { type: 'boolean' },
  grace: { type: 'string' },
  only: { type: 'string' },
}

/** The part of the help that is the same for both. */
export const tidyUsage = `
  --dry-run      change nothing, print what would be done
  --only <name>  this store only, and no sweep; default all
  --grace <…>    how old what nobody knows must be; default and at least as orphanGrace
                 and expiresIn say
  --force        go on where so much is wrong that the configuration is likely to be

Exit code 0: all is well now. 1: something is left that needs a person.

The server may go on running where the database is Postgres; it does the same once a day.
The configuration is found as by carcosa start: see carcosa help start.`

/** Reads the command line, opens the server's stores, does `work`, prints its report. */
export async function tidy(
  args: string[],
  io: Io,
  work: (stores: Stores, options: Parameters<Stores['reconcile']>[0]) => Promise<Report>,
): Promise<number> {
  const parsed = readArgs(args, flagTable)
  const options = optionsOf(parsed)
  const report = await withCarcosa(parsed, io, ({ api }) => work(api.stores, options))
  io.stdout.write(`${linesOf(report).join('\n')}\n`)
  return report.needsAttention ? 1 : 0
}

function optionsOf({ flags }: ParsedArgs) {
  const { only, grace } = flags
  return {
    dryRun: flags['dry-run'] === true,
    force: flags.force === true,
    ...(typeof only === 'string' && { store: only }),
    ...(typeof grace === 'string' && { grace: durationOf(grace) }),
  }
}

function durationOf(grace: string): number {
  try {
    return parseDuration(grace)
  } catch (cause) {
    const message = `--grace is ${JSON.stringify(grace)}. Allowed: a duration with its unit, such as 72h.`
    throw new UsageError(message, { cause })
  }
}

function linesOf(report: Report): string[] {
  const { dryRun, grace, swept, stores, needsAttention } = report
  return [
    `${dryRun ? 'Dry run, nothing is changed. ' : ''}Older than ${Math.round(grace / 3_600_000)} h counts as left behind.`,
    ...(swept ? [sweptLine(swept, dryRun)] : []),
    ...stores.flatMap((store) => storeLines(store, dryRun)),
    needsAttention ? 'Something needs a person: see above.' : 'All is well.',
  ]
}

function sweptLine({ expired, purged }: NonNullable<Report['swept']>, dryRun: boolean) {
  const deleted = dryRun ? 'would be deleted' : 'deleted'
  return `sweep: ${expired} uploads expired, bytes of ${purged} files ${deleted}`
}

function storeLines(report: StoreReport, dryRun: boolean): string[] {
  const { store, kind, unfinished, orphans, missing, errors } = report
  const removed = dryRun ? 'would be removed' : 'removed'
  const failed = dryRun ? 'would fail' : 'failed'
  return [
    `store ${store} (${kind})`,
    `  begun and left  ${unfinished.found} found, ${unfinished.removed} ${removed}`,
    ...details(unfinished),
    `  without a file  ${orphans.found} found (${formatSize(orphans.bytes)}), ${orphans.removed} ${removed}`,
    ...details(orphans),
    ...(missing
      ? [
          `  lost objects    ${missing.found} of ${missing.checked}: ${missing.failed} files ${failed}, ${missing.restored} go on as a copy, ${missing.forgotten} were copies`,
          ...details(missing),
        ]
      : []),
    ...(errors.count > 0 ? [`  errors          ${errors.count}`] : []),
    ...details({ ...errors, skipped: null }),
  ]
}

function details(found: { examples: string[]; skipped: string | null }): string[] {
  const skipped = found.skipped === null ? [] : [`    left alone: ${found.skipped}`]
  return [...found.examples.map((example) => `    ${example}`), ...skipped]
}
