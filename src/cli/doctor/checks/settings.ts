import { type Check, type Finding, ok, skipped } from '../check.ts'
import type { Patient } from '../patient.ts'

/** What the configuration lacks for a server that others reach. */
export const check: Check = {
  name: 'settings',
  needs: [],
  async run({ local, base }: Patient) {
    if (!local)
      return skipped('not beside the server: the configuration is not known here')
    const findings: Finding[] = []
    const isPostgres = /^postgres(ql)?:/.test(local.database)
    if (local.publicUrl === undefined && !isLocal(base)) {
      findings.push({
        level: 'warning',
        code: 'PUBLIC_URL_UNSET',
        message:
          'There is no publicUrl: links made outside of a request are paths without a host.',
        mend: { carcosa: `--public-url ${new URL(base).origin}` },
      })
    }
    if (isPostgres && local.store === undefined) {
      findings.push({
        level: 'warning',
        code: 'STORE_LOCAL',
        message: 'Files are on the disk of this node: another node has none of them.',
        mend: {
          carcosa: 'CARCOSA_STORE=s3://bucket/prefix/  # or a disk that all nodes share',
        },
      })
    }
    return findings.length > 0
      ? findings
      : ok('the configuration is fit for more than one node')
  },
}

function isLocal(base: string): boolean {
  return /^(localhost|127\.|\[::1\]|.*\.localhost$)/.test(new URL(base).hostname)
}
