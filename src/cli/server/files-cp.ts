import { formatSize } from '../../shared/sizes.ts'
import { type Io, readArgs } from '../verb.ts'
import { commonFlags, commonOptions, required, textOf } from './files-flags.ts'
import { type Failed, type Files, watched } from './watched.ts'

type Report = Awaited<ReturnType<Files['copy']>>

const flagTable = {
  ...commonFlags,
  from: { type: 'string' },
  to: { type: 'string' },
  route: { type: 'string' },
  switch: { type: 'boolean' },
} as const

/** `carcosa files cp`: copies the files of one store to another. */
export async function cp(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable)
  const { flags } = parsed
  const options = {
    ...commonOptions(parsed),
    from: required(flags.from, '--from <store>'),
    to: required(flags.to, '--to <store>'),
    ...textOf(flags, 'route'),
    switch: flags.switch === true,
  }
  return watched(parsed, io, async ({ files, signal, show }) => {
    const report = await files.copy({
      ...options,
      signal,
      onProgress({ copied, skipped, failed, bytes, files: all, totalBytes }) {
        const done = `${copied + skipped + failed} of ${all} files`
        show(`${done}, ${formatSize(bytes)} of ${formatSize(totalBytes)} copied`)
      },
    })
    return {
      ...report,
      failures: report.errors.map(toFailed),
      summary: summary(report, options.dryRun),
    }
  })
}

function toFailed({ id, code, message }: Report['errors'][number]): Failed {
  return { what: id ?? '', code, message }
}

function summary(
  { copied, skipped, switched, failed, bytes }: Report,
  dryRun: boolean,
): string {
  const parts = [
    `${dryRun ? 'would copy' : 'copied'} ${copied} (${formatSize(bytes)})`,
    `skipped ${skipped}`,
    ...(switched > 0 ? [`${dryRun ? 'would switch' : 'switched'} ${switched}`] : []),
    `failed ${failed}`,
  ]
  return parts.join(', ')
}
