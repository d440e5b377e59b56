import { formatSize } from '../../shared/sizes.ts'
import { type Io, readArgs } from '../verb.ts'
import { commonFlags, commonOptions, required, textOf } from './files-flags.ts'
import { type Failed, type Files, watched } from './watched.ts'

type Report = Awaited<ReturnType<Files['import']>>

const flagTable = {
  ...commonFlags,
  store: { type: 'string' },
  route: { type: 'string' },
  prefix: { type: 'string' },
  owner: { type: 'string' },
  project: { type: 'string' },
} as const

/** `carcosa files import`: adopts the objects of a store. */
export async function importFiles(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable)
  const { flags } = parsed
  const { owner, project } = flags
  const options = {
    ...commonOptions(parsed),
    store: required(flags.store, '--store <store>'),
    route: required(flags.route, '--route <route>'),
    ...textOf(flags, 'prefix'),
    ...(typeof owner === 'string' && { ownerId: owner }),
    ...(typeof project === 'string' && { projectId: project }),
  }
  return watched(parsed, io, async ({ files, signal, show }) => {
    const report = await files.import({
      ...options,
      signal,
      onProgress: ({ imported, known, failed }) =>
        show(`${imported} objects imported, ${known} known, ${failed} failed`),
    })
    return {
      ...report,
      failed: report.failed + report.refused,
      failures: report.errors.map(toFailed),
      warnings: report.warnings.map(toFailed),
      summary: summary(report, options.dryRun),
    }
  })
}

function toFailed({ key, code, message }: Report['errors'][number]): Failed {
  return { what: key ?? '', code, message }
}

function summary(
  { imported, known, refused, failed, bytes, warned }: Report,
  dryRun: boolean,
): string {
  const parts = [
    `${dryRun ? 'would import' : 'imported'} ${imported} (${formatSize(bytes)})`,
    `known ${known}`,
    `refused ${refused}`,
    `failed ${failed}`,
    ...(warned > 0 ? [`warnings ${warned}`] : []),
  ]
  return parts.join(', ')
}
